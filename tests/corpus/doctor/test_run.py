"""Laws of the command: hostile corpora end with a page or with one sentence."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from rich.console import Console
from tests.corpus.doctor.corpora import corpus_of, record, sound

from manyview.corpus import SCHEMA, Text
from manyview.corpus.doctor import Diagnosis, Examination, diagnose
from manyview.errors import DataError, ExitCode, UsageError
from manyview.train.recipes import recipe_problems


def shown(diagnosis: Diagnosis) -> str:
    """All three forms; returns that of the terminal."""
    assert "</html>" in diagnosis.page()
    assert Examination.from_json(diagnosis.json().encode()) == diagnosis.examination
    console = Console(width=100, record=True, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(diagnosis.text())
    return captured.get()


def test_one_record_is_enough(tmp_path: Path) -> None:
    corpus_of(tmp_path, {"train": sound(1)})
    diagnosis = diagnose(str(tmp_path))
    assert "made: 1 records (train 1)" in shown(diagnosis)
    assert diagnosis.exit_code == ExitCode.OK


def test_records_without_views_are_a_warning(tmp_path: Path) -> None:
    corpus_of(tmp_path, {"train": [record(number, []) for number in range(3)], "test": []})
    diagnosis = diagnose(str(tmp_path))
    text = shown(diagnosis)
    assert "3 records (100 %) have no text at all" in text
    assert "The split test has no records" in text
    assert diagnosis.exit_code == ExitCode.OK


def test_only_unreadable_images_fail(tmp_path: Path) -> None:
    corpus_of(tmp_path, {"train": [record(number, image=b"\xff\xd8\xff junk") for number in range(3)]})
    diagnosis = diagnose(str(tmp_path))
    assert "Do not train on this yet: undecodable images." in shown(diagnosis)
    assert diagnosis.exit_code == ExitCode.DATA


def test_a_damaged_shard_fails_and_the_others_are_examined(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"train": sound(60)}, max_shard_bytes=9000)
    shards = [tmp_path / shard.file for shard in corpus.manifest.splits["train"]]
    assert len(shards) > 2
    for shard in shards[:2]:
        data = bytearray(shard.read_bytes())
        middle = slice(4, len(data) // 2) if shard is shards[0] else slice(len(data) - 60, len(data))
        data[middle] = b"\x55" * len(data[middle])
        shard.write_bytes(data)
    diagnosis = diagnose(str(tmp_path))
    text = " ".join(shown(diagnosis).split())
    assert text.count("is damaged") == 2
    assert diagnosis.exit_code == ExitCode.DATA
    assert 0 < diagnosis.examination.images.sampled < 60


def test_every_shard_damaged_is_still_a_diagnosis(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"train": sound(4)})
    shard = tmp_path / corpus.manifest.splits["train"][0].file
    shard.write_bytes(b"\x55" * shard.stat().st_size)
    diagnosis = diagnose(str(tmp_path))
    assert "damaged shards" in shown(diagnosis)
    assert diagnosis.exit_code == ExitCode.DATA


def test_a_folder_of_someone_elses_parquet_may_leave_everything_empty(tmp_path: Path) -> None:
    said = [{"kind": None, "text": "no kind", "lang": None, "weight": None}, None]
    rows = [
        dict.fromkeys(SCHEMA.names),
        {**dict.fromkeys(SCHEMA.names), "texts": said, "image": {"bytes": None, "path": "x.jpg"}},
        {**dict.fromkeys(SCHEMA.names), "texts": [], "id": "only an id"},
    ]
    pq.write_table(pa.Table.from_pylist(rows, SCHEMA), tmp_path / "train-0.parquet")
    diagnosis = diagnose(str(tmp_path))
    text = shown(diagnosis)
    assert "3 records" in text
    assert "(no kind)" in text
    assert diagnosis.examination.textless == 2
    assert dict(diagnosis.examination.images.broken) == {"image: no bytes": 3}


def test_an_id_in_two_shards_fails(tmp_path: Path) -> None:
    corpus_of(tmp_path / "a", {"train": sound(3)})
    folder = tmp_path / "both"
    folder.mkdir()
    source = next((tmp_path / "a" / "data").iterdir())
    for name in ("train-0.parquet", "train-1.parquet"):
        (folder / name).write_bytes(source.read_bytes())
    diagnosis = diagnose(str(folder))
    assert diagnosis.examination.repeats.ids == 3
    assert "repeated ids" in shown(diagnosis)


def test_an_image_that_is_not_its_hash_fails(tmp_path: Path) -> None:
    from manyview.corpus.table import table_from_records

    table = table_from_records(sound(3))
    hashes = pa.array([1, 2, None], pa.int64())
    pq.write_table(table.set_column(SCHEMA.get_field_index("image_hash"), "image_hash", hashes), tmp_path / "a.parquet")
    diagnosis = diagnose(str(tmp_path))
    assert diagnosis.examination.images.wrong_hash == 2
    assert "wrong image hashes" in shown(diagnosis)


def test_nasty_texts_are_shown_and_never_obeyed(tmp_path: Path) -> None:
    nasty = [
        "[bold]x[/]",
        "\ud83d".encode("utf-8", "replace").decode(),
        "a" * 300_000,
        "\x00\x1b[31m",
        "{{ 7 * 7 }}",
        "🏳️‍🌈",
    ]
    repeated = [record(n, [Text("caption", "\x1b[2Jgone")]) for n in range(10, 40)]
    records = [record(n, [Text(f"[red]{n}", text)]) for n, text in enumerate(nasty)]
    corpus_of(tmp_path, {"train": records + repeated})
    diagnosis = diagnose(str(tmp_path))
    text = shown(diagnosis)
    assert "[red]0" in text
    assert "gone" in text
    assert "\x1b[2J" not in text
    assert "{{ 7 * 7 }}" in diagnosis.page()
    assert len(diagnosis.page()) < 200_000


def test_what_is_no_corpus_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no corpus at"):
        diagnose(str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"neither manifest\.json nor Parquet files"):
        diagnose(str(tmp_path))
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="is damaged"):
        diagnose(str(tmp_path))


def test_limits_come_from_a_file_and_overrides(tmp_path: Path) -> None:
    corpus_of(tmp_path / "corpus", {"train": sound(40)})
    (tmp_path / "limits.yaml").write_text("min_side_px: 97\nsample: 10\n")
    diagnosis = diagnose(str(tmp_path / "corpus"), config=tmp_path / "limits.yaml", overrides=["max_small=0.9"])
    assert (diagnosis.examination.limits.min_side_px, diagnosis.examination.limits.max_small) == (97, 0.9)
    assert "small images" in {finding.check for finding in diagnosis.examination.findings}
    with pytest.raises(UsageError, match="did you mean 'max_small'"):
        diagnose(str(tmp_path / "corpus"), overrides=["max_smal=0.9"])


def test_a_tokenizer_that_is_missing_is_one_sentence(tmp_path: Path) -> None:
    corpus_of(tmp_path, {"train": sound(2)})
    with pytest.raises(UsageError, match="no tokenizer at"):
        diagnose(str(tmp_path), tokenizer=tmp_path / "nothing")


@pytest.mark.parametrize("lang", ["", "en", "de", "th"])
@pytest.mark.parametrize("split", ["train", "all"])
def test_recipes_that_find_no_text_are_named_and_a_corpus_for_none_is_not_fit(
    tmp_path: Path, lang: str, split: str
) -> None:
    def examined(kind: str) -> Diagnosis:
        records = [record(number, [Text(kind, f"thing {number}", lang)]) for number in range(12)]
        corpus_of(tmp_path / kind, {split: records})
        return diagnose(str(tmp_path / kind), recipe_problems=recipe_problems)

    captions = examined("caption")
    assert captions.exit_code == ExitCode.OK
    (note,) = [f for f in captions.examination.findings if f.check == "recipes without texts"]
    assert note.what.startswith("many-view")
    assert note.change.startswith("Train caption-sampling, clip, ")
    weather = examined("weather")
    assert weather.exit_code == ExitCode.DATA
    said = " ".join(shown(weather).split())
    assert "Do not train on this yet: no text for any recipe." in said
    assert f"it has weather ({lang or 'no language stated'} 12)" in said
    corpus_of(tmp_path / "none", {split: [record(number, []) for number in range(12)]})
    assert diagnose(str(tmp_path / "none"), recipe_problems=recipe_problems).exit_code == ExitCode.DATA


def test_recipes_that_need_images_are_named_where_there_is_none(tmp_path: Path) -> None:
    corpus_of(tmp_path, {"train": [replace(record(number), image=None) for number in range(12)]})
    diagnosis = diagnose(str(tmp_path), recipe_problems=recipe_problems)
    assert diagnosis.exit_code == ExitCode.OK
    (note,) = [f for f in diagnosis.examination.findings if f.check == "recipes without texts"]
    assert note.what.startswith("caption-sampling, clip, ") and "no record has an image" in note.what
    assert note.change.startswith("Train many-view")
