"""Laws of building: what comes out is what the definition says, whatever happens on the way."""

import io
import itertools
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from tests.corpus.builder.shop import (
    HERE,
    TABLE,
    built,
    config,
    content,
    everything,
    glossary,
    picture,
    products,
    run_build,
    words,
    write_table,
)

from manyview.config import save_config
from manyview.corpus import Corpus, Shard
from manyview.corpus.builder import BuildConfig, build
from manyview.corpus.builder.earlier import NOTHING, provenance_file
from manyview.corpus.builder.run import _Build
from manyview.corpus.builder.stage import Staged
from manyview.corpus.sources.built import CorpusConfig
from manyview.errors import DataError, UsageError


def test_where_equal_ids_are_the_same_each_image_has_all_their_texts_in_order_each_once(tmp_path: Path) -> None:
    rng = random.Random(0)
    images = [picture(number) for number in range(12)]
    rows = [
        {
            "sku": f"p{rng.randrange(20)}",
            "image": rng.choice(images),
            "title": f"T{rng.randrange(8)}",
            "tags": ["a", f"b{n % 3}"],
        }
        for n in range(60)
    ]
    first_of_id, id_of_content, expected = {}, {}, {}
    for row in rows:
        first_of_id.setdefault(row["sku"], row["image"])
    for sku, image in first_of_id.items():
        id_of_content.setdefault(image, sku)
    for row in rows:
        owner = id_of_content[first_of_id[row["sku"]]]
        said = [("title", row["title"]), *(("tags", tag) for tag in row["tags"])]
        expected.setdefault(owner, []).extend(said)
    for row in rows:
        row["family"] = None
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    report, splits = built(config(tmp_path / "rows.parquet", equal_ids="same"), tmp_path / "out")
    found = everything(splits)
    assert set(found) == set(id_of_content.values())
    for id, record in found.items():
        assert record.image == first_of_id[id]
        texts = [(text.kind, text.text) for text in record.texts]
        of_kind = {
            kind: list(dict.fromkeys(text for of, text in expected[id] if of == kind)) for kind in ("title", "tags")
        }
        assert [text for kind, text in texts if kind == "title"] == of_kind["title"]
        assert [text for kind, text in texts if kind == "tags"] == of_kind["tags"]
    other = sum(row["image"] != first_of_id[row["sku"]] for row in rows)
    assert report.reasons["image: another one has its id"] == other


def test_several_files_are_as_good_as_one_and_the_bytes_are_always_the_same(tmp_path: Path) -> None:
    rows = products(30)
    write_table(tmp_path / "all.parquet", [dict(row) for row in rows])
    for number, (start, stop) in enumerate(itertools.pairwise((0, 7, 8, 30))):
        write_table(tmp_path / f"part-{number}.parquet", [dict(row) for row in rows[start:stop]])
    files = {"one": "all.parquet", "again": "all.parquet", "some": "part-*.parquet"}
    found = {name: built(config(tmp_path / file), tmp_path / name)[1] for name, file in files.items()}
    assert content(tmp_path / "one") == content(tmp_path / "again")
    assert len(content(tmp_path / "one")) > 5
    assert found["one"] == {
        split: {id: replace(record, source="all") for id, record in records.items()}
        for split, records in found["some"].items()
    }


@pytest.mark.slow
def test_processes_leave_the_bytes_that_one_process_leaves(tmp_path: Path) -> None:
    for number in range(3):
        write_table(tmp_path / f"part-{number}.parquet", products(10, seed=number))
    told = config(tmp_path / "part-*.parquet")
    built(told, tmp_path / "one")
    save_config(told, tmp_path / "build.yaml")
    run_build(tmp_path / "build.yaml", tmp_path / "several")
    assert content(tmp_path / "one") == content(tmp_path / "several")


def test_what_belongs_together_is_on_one_side_of_the_split(tmp_path: Path) -> None:
    rows = products(90)
    for number in range(0, 60, 2):  # neighbors look the same
        rows[number + 1]["image"] = picture(number, quality=60)
    for number in range(60, 90):
        rows[number]["title"] = f"One of {number // 10}"
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    halves = {"shares": {"train": 0.5, "test": 0.5}, "together": ["title"], "max_held_out": None}
    _, splits = built(config(tmp_path / "rows.parquet", split=halves), tmp_path / "out")
    side = {id: split for split, records in splits.items() for id in records}
    for number in range(0, 60, 2):
        assert side[f"p{number}"] == side[f"p{number + 1}"]
    for tens in range(60, 90, 10):
        assert len({side[f"p{number}"] for number in range(tens, tens + 10)}) == 1
    families = Counter((row["family"], side[row["sku"]]) for row in rows if row["family"])
    assert len(families) == len({family for family, _ in families})
    groups = [(record.group, split) for split, records in splits.items() for record in records.values()]
    assert len(set(groups)) == len({group for group, _ in groups})
    assert {"train", "test"} == set(splits)


def test_groups_too_large_to_be_held_out_go_to_the_largest_share(tmp_path: Path) -> None:
    rows = [{**row, "family": "all"} for row in products(20)]
    write_table(tmp_path / "rows.parquet", rows)
    for seed in range(5):
        split = {"shares": {"test": 0.45, "train": 0.55}, "max_held_out": 19}
        _, splits = built(config(tmp_path / "rows.parquet", split=split, seed=seed), tmp_path / f"out-{seed}")
        assert set(splits) == {"train"}


def test_near_duplicates_may_be_merged_and_keep_the_texts_of_all(tmp_path: Path) -> None:
    rows = products(8)
    rows[5]["image"] = picture(2, quality=70)
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    merge = {"near_duplicates": {"action": "merge"}}
    report, splits = built(config(tmp_path / "rows.parquet", clean=merge), tmp_path / "out")
    found = everything(splits)
    assert "p5" not in found
    assert [text.text for text in found["p2"].texts if text.kind == "title"] == ["Thing number 2", "Thing number 5"]
    assert report.reasons == {"image: looks like one that is kept": 1}


def test_adding_changes_no_shard_and_moves_nothing_across_the_split(tmp_path: Path) -> None:
    rows = products(40)
    later = products(20, seed=1)
    for number, row in enumerate(later):
        row["sku"] = f"new{number}"
        row["family"] = rows[2 * number]["family"]
    later[3]["image"] = picture(7, quality=70)  # looks like p7
    later[4]["image"] = rows[9]["image"]  # is p9
    for name, some in {"old": rows, "new": [*rows[:5], *later]}.items():
        write_table(tmp_path / f"{name}.parquet", [dict(row) for row in some])
    shares = {"shares": {"train": 0.5, "test": 0.5}}
    built(config(tmp_path / "old.parquet", split=shares), tmp_path / "out")
    before = content(tmp_path / "out")
    report, splits = built(config(tmp_path / "new.parquet", split=shares), tmp_path / "out", mode="append")
    after = content(tmp_path / "out")
    assert {name for name in before if before[name] != after[name]} == {"manifest.json"}
    found = everything(splits)
    assert set(found) == {row["sku"] for row in [*rows, *later]} - {"new4"}
    assert report.reasons["image: in the corpus already"] == 6
    side = {id: split for split, records in splits.items() for id in records}
    assert side["new3"] == side["p7"]
    for number, row in enumerate(later):
        if row["family"] and number != 4:
            assert side[f"new{number}"] == side[rows[2 * number]["sku"]]


def test_the_manifest_of_every_build_counts_what_its_shards_hold(tmp_path: Path) -> None:
    """Of a new corpus, of one that was added to, and of one made of another: the shards give the same counts."""
    shards = {"max_bytes": 9_000, "row_group_bytes": 4_000}
    for name, seed in (("old", 0), ("new", 1)):
        rows = [{**row, "sku": f"{name}{number}"} for number, row in enumerate(products(30, seed=seed))]
        write_table(tmp_path / f"{name}.parquet", rows)
    built(config(tmp_path / "old.parquet", shards=shards), tmp_path / "out")
    built(config(tmp_path / "new.parquet", shards=shards), tmp_path / "out", mode="append")
    again = BuildConfig(sources=(CorpusConfig(path=str(tmp_path / "out")),), name="again")
    built(again, tmp_path / "again")
    for folder in (tmp_path / "out", tmp_path / "again"):
        counted = Corpus.open(folder)
        for split, shards_of_split in counted.manifest.splits.items():
            bare = [Shard(**shard.model_dump(exclude={"row_groups", "texts", "sources"})) for shard in shards_of_split]
            plain = Corpus(counted.folder, counted.manifest.model_copy(update={"splits": {split: bare}}))
            assert all(shard.row_groups and shard.texts and shard.sources for shard in shards_of_split)
            assert list(counted.blocks(split)) == list(plain.blocks(split))
            assert counted.text_counts(split) == plain.text_counts(split)
            rows = {name: each.tolist() for name, each in plain.source_rows(split).items()}
            assert {name: each.tolist() for name, each in counted.source_rows(split).items()} == rows
    assert len(Corpus.open(tmp_path / "out").source_rows("train")) == 2


def test_each_text_leads_back_to_its_cell(tmp_path: Path) -> None:
    rows = products(12)
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    built(config(tmp_path / "rows.parquet"), tmp_path / "out")
    corpus = Corpus.open(tmp_path / "out")
    for split, shards in corpus.manifest.splits.items():
        origins = [
            row for shard in shards for row in pq.read_table(tmp_path / "out" / provenance_file(shard.file)).to_pylist()
        ]
        for record, row in zip(corpus.records(split), origins, strict=True):
            assert record.id == row["id"]
            assert Path(row["image_origin"]).read_bytes() == record.image
            for text, origin in zip(record.texts, row["text_origins"], strict=True):
                file, place, column = origin.rsplit(":", 2)
                cell = rows[int(place)][column]
                assert file == "rows.parquet"
                assert text.text == cell or text.text in cell


def test_pictures_in_cells_leave_the_same_bytes_each_time_and_come_from_their_table(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_pylist(products(12)), tmp_path / "rows.parquet")
    for name in ("one", "again"):
        built(config(tmp_path / "rows.parquet"), tmp_path / name)
    assert content(tmp_path / "one") == content(tmp_path / "again")
    files = sorted((tmp_path / "one" / "provenance").iterdir())
    assert {origin for file in files for origin in pq.read_table(file)["image_origin"].to_pylist()} == {"rows.parquet"}


def test_images_stay_as_they_are_unless_another_size_is_asked_for(tmp_path: Path) -> None:
    kinds = {"JPEG": {}, "PNG": {}, "WEBP": {"quality": 90}}
    rows = [
        {
            "sku": f"{kind}-{side}",
            "image": picture(side, side, kind, **options),
            "title": "a",
            "tags": ["b"],
            "family": None,
        }
        for kind, options in kinds.items()
        for side in (40, 90)
    ]
    write_table(tmp_path / "rows.parquet", [dict(row) for row in rows])
    for name, images in {"same": {}, "small": {"max_side_px": 64}, "jpeg": {"format": "JPEG"}}.items():
        _, splits = built(config(tmp_path / "rows.parquet", images=images), tmp_path / name)
        for row in rows:
            record = everything(splits)[row["sku"]]
            kind, side = row["sku"].split("-")
            with Image.open(io.BytesIO(record.image)) as image:
                assert image.format == ("JPEG" if name == "jpeg" else kind)
                assert image.size == ((64, 64) if name == "small" and side == "90" else (int(side), int(side)))
            untouched = name == "same" or (name == "small" and side == "40") or (name == "jpeg" and kind == "JPEG")
            assert (record.image == row["image"]) == untouched


def test_nothing_vanishes_uncounted(tmp_path: Path) -> None:
    rows = products(10)
    rows[1]["image"] = "none.jpg"
    rows[2]["title"], rows[2]["tags"] = None, []
    rows[3]["image"] = rows[4]["image"][:200]
    write_table(tmp_path / "rows.parquet", rows)
    report, splits = built(config(tmp_path / "rows.parquet"), tmp_path / "out")
    assert len(everything(splits)) == 7
    assert report.skipped == {
        "rows": {"image: no such file": 1, "image: truncated": 1},
        "all sources": {"text: there is no image of its id": 6, "image: too few texts say anything about it": 1},
    }


def test_a_text_of_too_many_images_is_boilerplate(tmp_path: Path) -> None:
    rows = products(60)
    for row in rows[:40]:
        row["title"] = "Free delivery!"
    write_table(tmp_path / "rows.parquet", rows)
    clean = {"boilerplate": {"min_images": 30}}
    report, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / "out")
    assert report.reasons == {"text: stands with too many images": 40}
    assert not any(text.text == "Free delivery!" for record in everything(splits).values() for text in record.texts)


def test_a_build_of_which_nearly_nothing_is_left_stops(tmp_path: Path) -> None:
    rows = [
        {"sku": f"p{number}", "image": f"{number}.jpg", "title": "t", "tags": [], "family": None}
        for number in range(1200)
    ]
    rows[0]["image"] = picture(0)
    write_table(tmp_path / "rows.parquet", rows)
    with pytest.raises(DataError, match=r"100% of 1,200 images are left out, .* no such file \(1,199\)"):
        built(config(tmp_path / "rows.parquet"), tmp_path / "out")
    with pytest.raises(UsageError, match="not written to its end"):
        Corpus.open(tmp_path / "out")


def test_a_source_that_changes_meanwhile_is_noticed(tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", products(5))

    def change(what: str, done: int, of: int) -> None:
        if what == "planning" and done:
            for file in tmp_path.glob("*.jpg"):
                file.write_bytes(file.read_bytes()[::-1])

    with pytest.raises(DataError, match="has changed since it was looked at"):
        build(config(tmp_path / "rows.parquet"), tmp_path / "out", engine=HERE, progress=change)


def test_a_source_that_is_only_touched_is_read_as_it_is(tmp_path: Path) -> None:
    write_table(tmp_path / "rows.parquet", products(5))

    def touch(what: str, done: int, of: int) -> None:
        if what == "planning" and done:
            for file in tmp_path.glob("*.jpg"):
                os.utime(file, (0, 0))

    build(config(tmp_path / "rows.parquet"), tmp_path / "touched", engine=HERE, progress=touch)
    build(config(tmp_path / "rows.parquet"), tmp_path / "left", engine=HERE)
    assert content(tmp_path / "touched") == content(tmp_path / "left")


def test_headers_leave_the_records_that_pixels_leave(tmp_path: Path) -> None:
    rows = products(20)
    rows[3]["image"] = rows[4]["image"][:200]
    write_table(tmp_path / "rows.parquet", rows)
    found, reasons = {}, {}
    for look in ("pixels", "header"):
        clean = {"images": {"look": look}}
        report, splits = built(config(tmp_path / "rows.parquet", clean=clean), tmp_path / look)
        found[look], reasons[look] = everything(splits), report.reasons
    assert found["header"] == found["pixels"]
    assert len(found["header"]) == 19
    assert reasons["header"] == reasons["pixels"]


@pytest.mark.parametrize(
    ("mode", "before", "sentence"),
    [
        ("new", ["photo.jpg"], "with photo.jpg in it"),
        ("new", ["manifest.json"], "is a finished corpus"),
        ("append", [], "--append adds to a finished corpus"),
    ],
)
def test_a_folder_is_not_taken_from_anybody(tmp_path: Path, mode: str, before: list[str], sentence: str) -> None:
    write_table(tmp_path / "rows.parquet", products(2))
    (tmp_path / "out").mkdir()
    for name in before:
        (tmp_path / "out" / name).write_text("mine")
    with pytest.raises(UsageError, match=sentence):
        build(config(tmp_path / "rows.parquet"), tmp_path / "out", engine=HERE, mode=mode)
    assert [file.read_text() for file in (tmp_path / "out").iterdir()] == ["mine"] * len(before)


def test_a_finished_corpus_may_be_replaced(tmp_path: Path) -> None:
    for name, count in {"a": 12, "b": 6}.items():
        write_table(tmp_path / f"{name}.parquet", products(count))
    built(config(tmp_path / "a.parquet"), tmp_path / "out")
    _, splits = built(config(tmp_path / "b.parquet"), tmp_path / "out", mode="overwrite")
    built(config(tmp_path / "b.parquet"), tmp_path / "fresh")
    assert len(everything(splits)) == 6
    assert content(tmp_path / "out") == content(tmp_path / "fresh")


@pytest.mark.slow
def test_a_build_killed_at_any_moment_is_continued_to_the_same_bytes(tmp_path: Path) -> None:
    for number in range(4):
        write_table(tmp_path / f"part-{number}.parquet", products(40, seed=number))
    pictured = {**TABLE, "path": str(tmp_path / "part-*.parquet")}
    told = config(sources=[pictured, glossary(tmp_path / "words.jsonl", words(90))], clicks=[])
    save_config(told, tmp_path / "build.yaml")
    built(told, tmp_path / "whole")
    command = [
        sys.executable,
        "-m",
        "manyview",
        "build",
        "-c",
        str(tmp_path / "build.yaml"),
        "--out",
        str(tmp_path / "out"),
    ]
    rng = random.Random(0)
    for attempt in range(30):
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            process.wait(timeout=rng.uniform(0.5, 1 + attempt / 2))  # a second is never enough
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            continue
        assert process.returncode == 0
        break
    assert attempt > 0
    assert content(tmp_path / "out") == content(tmp_path / "whole")


def test_judging_parts_looks_at_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A build of 120,000 parts is judged after each of them."""
    looks = Counter[str]()

    class Looked(dict[str, int]):
        def get(self, name: str, default: Any = None) -> Any:
            looks[name] += 1
            return super().get(name, default)

    @dataclass(frozen=True)
    class Task:
        key: str
        source: str = "shop"

    def staged(self: Any, what: str, function: Any, tasks: list[Task]) -> Iterator[tuple[str, Staged]]:
        no_tables = dict.fromkeys(field.name for field in fields(Staged))
        for task in tasks:
            counted = {"counts": Looked(images=9), "skipped": {"image: damaged": 1}}
            yield task.key, Staged(**(no_tables | counted))

    monkeypatch.setattr(_Build, "_mapped", staged)
    building = _Build(BuildConfig(sources=()), Path(), Path(), HERE, NOTHING, "new", lambda what, done, of: None)
    assert len(building._stage([Task(str(number)) for number in range(5_000)])) == 5_000
    assert looks == {"images": 5_000}
    assert building.skipped["shop"] == {"image: damaged": 5_000}
