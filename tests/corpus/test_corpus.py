"""Laws of reading a corpus."""

import json
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.records import records

from manyview.corpus import SCHEMA, Corpus, Record, Text, write_corpus
from manyview.corpus.location import open_parquet
from manyview.errors import DataError, UsageError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A corpus of several shards with several row groups each."""
    splits = {"train": records(200), "test": records(30, "held")}
    write_corpus(tmp_path / "c", splits, name="c", max_shard_bytes=12_000, row_group_bytes=3_000)
    return tmp_path / "c"


def shard_of(folder: Path) -> Path:
    return folder / "data/train-00000.parquet"


def test_blocks_are_the_row_groups_in_order(folder: Path) -> None:
    corpus = Corpus.open(folder)
    expected = []
    for file in sorted((folder / "data").glob("train-*.parquet")):
        shard = pq.ParquetFile(file)
        expected += [(file, group, shard.metadata.row_group(group).num_rows) for group in range(shard.num_row_groups)]
    assert [(block.file, block.row_group, block.rows) for block in corpus.blocks("train")] == expected
    assert len(expected) > len(corpus.manifest.splits["train"]) > 1
    assert sum(block.rows for block in corpus.blocks("train")) == corpus.splits["train"] == 200


def test_a_block_reads_its_rows_and_only_the_columns_asked_for(folder: Path) -> None:
    corpus = Corpus.open(str(folder))
    block = corpus.blocks("train")[1]
    whole = corpus.read(block)
    assert whole.num_rows == block.rows
    assert whole.schema.equals(SCHEMA)
    part = corpus.read(block, ["id", "texts"])
    assert part.equals(whole.select(["id", "texts"]))


def test_a_corpus_travels_to_other_processes(folder: Path) -> None:
    corpus = pickle.loads(pickle.dumps(Corpus.open(folder)))
    assert [record.id for record in corpus.records("test")] == [
        record.id for record in Corpus.open(folder).records("test")
    ]


def test_without_a_manifest_splits_are_read_off_file_names(folder: Path, tmp_path: Path) -> None:
    with_manifest = Corpus.open(folder)
    expected = {split: list(with_manifest.records(split)) for split in with_manifest.splits}
    (folder / "manifest.json").unlink()
    corpus = Corpus.open(folder)
    assert corpus.splits == {"train": 200, "test": 30}
    assert {split: list(corpus.records(split)) for split in corpus.splits} == expected
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "validation-00000-of-00001.parquet").write_bytes(shard_of(folder).read_bytes())
    (flat / "everything.parquet").write_bytes(shard_of(folder).read_bytes())
    assert set(Corpus.open(flat).splits) == {"validation", "train"}


def test_shards_of_other_writers_are_read_in_our_types(folder: Path, tmp_path: Path) -> None:
    table = pq.read_table(shard_of(folder))
    long = table.set_column(0, "id", table["id"].cast(pa.large_string()))
    more = long.append_column("width", pa.array([4] * len(long)))
    (tmp_path / "other").mkdir()
    pq.write_table(more.select(more.column_names[::-1]), tmp_path / "other" / "train-00000.parquet")
    corpus = Corpus.open(tmp_path / "other")
    (block,) = corpus.blocks("train")
    assert corpus.read(block).equals(table.replace_schema_metadata(None).cast(SCHEMA))


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no corpus at"):
        Corpus.open(tmp_path / "nothing")


def test_a_folder_without_shards_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a corpus"):
        Corpus.open(tmp_path)


def test_shards_without_records_are_a_usage_error(tmp_path: Path) -> None:
    pq.write_table(SCHEMA.empty_table(), tmp_path / "train-00000.parquet")
    with pytest.raises(UsageError, match="has no records"):
        Corpus.open(tmp_path)


def test_parquet_files_of_another_kind_are_a_usage_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"price": [1.0]}), tmp_path / "train-00000.parquet")
    with pytest.raises(UsageError, match=r"train-00000\.parquet is not a shard.*'image'"):
        Corpus.open(tmp_path)


def test_unknown_splits_and_columns_are_usage_errors(folder: Path) -> None:
    corpus = Corpus.open(folder)
    with pytest.raises(UsageError, match=r"no split 'dev', only \['test', 'train'\]"):
        corpus.blocks("dev")
    with pytest.raises(UsageError, match="no column"):
        corpus.read(corpus.blocks("train")[0], ["caption"])


@pytest.mark.parametrize("content", ["", "{", '{"format": 2}', '{"format": 1, "name": "c", "splits": {}, "new": 1}'])
def test_a_damaged_manifest_is_named(folder: Path, content: str) -> None:
    (folder / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"manifest\.json is damaged"):
        Corpus.open(folder)


def test_a_missing_or_shortened_shard_is_named_on_opening(folder: Path) -> None:
    shard = shard_of(folder)
    shard.write_bytes(shard.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"train-00000\.parquet has \d+ bytes"):
        Corpus.open(folder)
    shard.unlink()
    with pytest.raises(DataError, match=r"train-00000\.parquet is missing"):
        Corpus.open(folder)


def test_a_shard_that_is_no_parquet_is_named(folder: Path) -> None:
    shard = shard_of(folder)
    shard.write_bytes(b"x" * shard.stat().st_size)
    with pytest.raises(DataError, match=r"train-00000\.parquet is damaged"):
        list(Corpus.open(folder).records("train"))
    (folder / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"train-00000\.parquet is damaged"):
        Corpus.open(folder)


def test_a_flipped_bit_in_an_image_is_noticed(folder: Path) -> None:
    corpus = Corpus.open(folder)
    shard = shard_of(folder)
    content = bytearray(shard.read_bytes())
    column = pq.read_metadata(shard).row_group(0).to_dict()["columns"][5]
    assert column["path_in_schema"] == "image.bytes"
    middle = column["data_page_offset"] + column["total_compressed_size"] // 2
    content[middle] ^= 1
    shard.write_bytes(bytes(content))
    with pytest.raises(DataError, match=r"train-00000\.parquet is damaged"):
        list(corpus.records("train"))
    with pytest.raises(DataError, match=r"train-00000\.parquet is not the file"):
        corpus.verify()


def uncounted(folder: Path) -> Corpus:
    """The corpus with a manifest as it was written before shards were counted."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for shard in (shard for shards in manifest["splits"].values() for shard in shards):
        for name in ("row_groups", "texts", "sources"):
            del shard[name]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Corpus.open(folder)


def test_a_shard_with_other_rows_than_promised_is_named(folder: Path) -> None:
    shard = shard_of(folder)
    pq.write_table(pq.read_table(shard).slice(1), shard, row_group_size=5)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["splits"]["train"][0]["bytes"] = shard.stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(DataError, match=r"train-00000\.parquet has 5 rows in a row group where \d+ were counted"):
        list(Corpus.open(folder).records("train"))
    with pytest.raises(DataError, match=r"train-00000\.parquet has \d+ records, the manifest says"):
        uncounted(folder).blocks("train")


def varied(number: int, sources: int, stem: str = "item") -> list[Record]:
    texts = [(Text("title", "a", "en"), Text("title", "b", "zh"), Text("query", "c")), (), (Text("title", "d"),)]
    some = records(number, stem)
    return [replace(r, texts=texts[i % 3], source=f"s{i % sources}") for i, r in enumerate(some)]


@pytest.mark.parametrize("sources", [1, 3, 40])
def test_what_a_manifest_counts_is_what_the_shards_hold(tmp_path: Path, sources: int) -> None:
    splits = {"train": varied(90, sources), "test": varied(3, 2, "held")[:1]}
    write_corpus(tmp_path / "c", splits, name="c", max_shard_bytes=6_000, row_group_bytes=2_000)
    counted = Corpus.open(tmp_path / "c")
    told = [
        [
            [(b.file, b.row_group, b.rows) for b in corpus.blocks("train")],
            corpus.text_counts("train"),
            {name: rows.tolist() for name, rows in corpus.source_rows("train").items()},
        ]
        for corpus in (counted, uncounted(tmp_path / "c"))
    ]
    assert told[0] == told[1]
    expected: dict[str, dict[str, int]] = {}
    by_block = [Counter(counted.read(block)["source"].to_pylist()) for block in counted.blocks("train")]
    for record in counted.records("train"):
        for text in record.texts:
            langs = expected.setdefault(text.kind, {})
            langs[text.lang] = langs.get(text.lang, 0) + 1
    assert told[0][1] == expected == {"title": {"en": 30, "zh": 30, "": 30}, "query": {"": 30}}
    assert told[0][2] == {f"s{i}": [rows[f"s{i}"] for rows in by_block] for i in sorted(range(sources), key=str)}


def test_a_counted_corpus_is_opened_without_opening_a_shard(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Path] = []
    genuine = open_parquet
    monkeypatch.setattr(
        "manyview.corpus.corpus.open_parquet", lambda file, **how: opened.append(file) or genuine(file, **how)
    )
    for corpus, files in ((Corpus.open(folder), 0), (uncounted(folder), len(list((folder / "data").glob("train-*"))))):
        opened.clear()
        corpus.blocks("train")
        assert len(opened) == files
        if not files:
            corpus.text_counts("train")
            corpus.source_rows("train")
            assert not opened


def test_the_identity_of_a_corpus_does_not_depend_on_what_is_counted(folder: Path) -> None:
    """It decides whether a run may be resumed and an index used, and both may be older than the counts."""
    counted = Corpus.open(folder).manifest
    plain = uncounted(folder).manifest
    assert counted != plain
    assert counted.identity() == plain.identity() == plain.model_dump_json(exclude_none=True)


def test_counts_that_contradict_each_other_are_damage(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    shard = manifest["splits"]["train"][0]
    for name, wrong in (("row_groups", [1]), ("sources", {"a": [1]})):
        broken = {**manifest, "splits": {"train": [{**shard, name: wrong}]}}
        (folder / "manifest.json").write_text(json.dumps(broken), encoding="utf-8")
        with pytest.raises(DataError, match=r"manifest\.json is damaged.*train-00000"):
            Corpus.open(folder)


def test_entries_of_later_versions_do_not_make_a_corpus_unreadable(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    for shard in manifest["splits"]["train"]:
        shard["columns"] = {"id": 1}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert Corpus.open(folder).splits == {"train": 200, "test": 30}
