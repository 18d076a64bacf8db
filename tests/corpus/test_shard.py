"""Laws of writing a corpus."""

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.records import records

from manyview.corpus import SCHEMA, Corpus, Record, Text, write_corpus
from manyview.corpus.fingerprint import image_identity
from manyview.corpus.shard import TEXTS_ONLY_BYTES
from manyview.corpus.table import records_from_table, table_from_records
from manyview.errors import DataError, ManyviewError, UsageError

WORDS = st.text(max_size=12)
TEXTS = st.builds(Text, WORDS, WORDS, WORDS, st.floats(0, 8, width=32))
IMAGES = st.none() | st.binary(max_size=40)
RECORDS = st.builds(Record, WORDS, WORDS, IMAGES, st.lists(TEXTS, max_size=4).map(tuple), WORDS, WORDS)


class InterruptedOnWriting(list[Record]):
    """Can be read once, for the checks; the second reading, for writing, is stopped by Ctrl-C."""

    readings = 0

    def __iter__(self) -> Iterator[Record]:
        self.readings += 1
        if self.readings > 1:
            raise KeyboardInterrupt
        return super().__iter__()


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Writing more than `size` bytes to one file fails, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


@given(st.lists(RECORDS, max_size=5))
@settings(max_examples=50)
def test_rows_are_records(some: list[Record]) -> None:
    table = table_from_records(some)
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert list(records_from_table(table)) == some
    hashes = [0 if record.image is None else image_identity(record.image) for record in some]
    assert table["image_hash"].to_pylist() == hashes


def test_what_is_written_is_read(tmp_path: Path) -> None:
    train, test = records(300), records(40, "held")
    write_corpus(tmp_path / "c", {"train": train, "test": test}, name="c", max_shard_bytes=9000, row_group_bytes=2000)
    corpus = Corpus.open(tmp_path / "c")
    assert corpus.splits == {"train": 300, "test": 40}
    assert {record.id: record for record in corpus.records("train")} == {record.id: record for record in train}
    assert {record.id: record for record in corpus.records("test")} == {record.id: record for record in test}


def test_same_records_in_any_order_leave_the_same_bytes(tmp_path: Path) -> None:
    for name, order in (("a", records(120)), ("b", records(120)[::-1])):
        write_corpus(tmp_path / name, {"train": order}, name="c", max_shard_bytes=9000, about={"made": "here"})
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_another_seed_is_another_order(tmp_path: Path) -> None:
    orders = []
    for seed in (0, 1):
        write_corpus(tmp_path / str(seed), {"train": records(60)}, name="c", seed=seed)
        orders.append([record.id for record in Corpus.open(tmp_path / str(seed)).records("train")])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert orders[0] != [record.id for record in records(60)]


def test_shards_are_even_and_about_as_large_as_allowed(tmp_path: Path) -> None:
    manifest = write_corpus(tmp_path / "c", {"train": records(500)}, name="c", max_shard_bytes=20_000)
    counts = [shard.records for shard in manifest.splits["train"]]
    assert len(counts) > 3
    assert max(counts) - min(counts) <= 0.1 * max(counts) + 2


def test_the_manifest_describes_every_file(tmp_path: Path) -> None:
    written = write_corpus(tmp_path / "c", {"train": records(90), "val": []}, name="n", about={"x": [1]})
    assert Corpus.open(tmp_path / "c").manifest == written
    Corpus.open(tmp_path / "c").verify()
    assert written.format == 1
    assert written.splits["val"] == []
    assert sorted(contents(tmp_path / "c")) == ["data/train-00000.parquet", "manifest.json"]


def test_shards_say_how_the_datasets_library_reads_them(tmp_path: Path) -> None:
    write_corpus(tmp_path / "c", {"train": records(3)}, name="c")
    schema = pq.read_schema(tmp_path / "c/data/train-00000.parquet")
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == schema.names
    assert features["image"] == {"_type": "Image"}
    assert pa.types.is_struct(schema.field("image").type)
    (text,) = features["texts"]
    assert list(text) == [field.name for field in schema.field("texts").type.value_type]


def test_an_interrupted_write_is_no_corpus_and_the_next_one_replaces_it(tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    splits = {"train": records(50), "test": records(20, "held")}
    with pytest.raises(KeyboardInterrupt):
        write_corpus(broken, splits | {"test": InterruptedOnWriting(splits["test"])}, name="c", max_shard_bytes=5000)
    assert not (broken / "manifest.json").exists()
    with pytest.raises(UsageError, match="not written to its end"):
        Corpus.open(broken)
    for folder in (broken, whole):
        write_corpus(folder, splits, name="c")
    assert contents(broken) == contents(whole)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("ten years", encoding="utf-8")
    with pytest.raises(UsageError, match=r"empty folder, got .*with files in it"):
        write_corpus(tmp_path, {"train": records(3)}, name="c")
    assert contents(tmp_path) == {"thesis.txt": b"ten years"}


def test_a_finished_corpus_is_not_overwritten(tmp_path: Path) -> None:
    write_corpus(tmp_path / "c", {"train": records(3)}, name="c")
    before = contents(tmp_path / "c")
    with pytest.raises(UsageError):
        write_corpus(tmp_path / "c", {"train": records(4)}, name="c")
    assert contents(tmp_path / "c") == before


def test_a_full_disk_is_one_sentence_and_no_corpus(tmp_path: Path) -> None:
    with files_limited_to(3000), pytest.raises(ManyviewError, match="cannot write the corpus to") as caught:
        write_corpus(tmp_path / "c", {"train": records(500)}, name="c")
    assert caught.value.exit_code == 1
    assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="not written to its end"):
        Corpus.open(tmp_path / "c")


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ManyviewError, match="cannot write the corpus to"):
        write_corpus(tmp_path / "file" / "c", {"train": records(3)}, name="c")


def test_an_id_may_occur_once(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="'item/0' twice"):
        write_corpus(tmp_path / "c", {"train": records(2), "test": records(1)}, name="c")
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("splits", [{}, {"train": []}])
def test_a_corpus_needs_a_record(tmp_path: Path, splits: dict[str, list[Record]]) -> None:
    with pytest.raises(UsageError, match="at least one record"):
        write_corpus(tmp_path / "c", splits, name="c")


@pytest.mark.parametrize("split", ["", "../train", "a b", "train-1"])
def test_names_of_splits_are_safe_file_names(tmp_path: Path, split: str) -> None:
    with pytest.raises(UsageError, match="letters, digits and underscores"):
        write_corpus(tmp_path / "c", {split: records(1)}, name="c")


def with_texts_only(count: int) -> list[Record]:
    """Records of which every third has no image."""
    return [record if number % 3 else replace(record, image=None) for number, record in enumerate(records(count))]


@pytest.mark.parametrize("without_manifest", [False, True])
def test_records_without_an_image_survive_and_are_counted(tmp_path: Path, without_manifest: bool) -> None:
    """Also where another program has rewritten the files, and the manifest is gone."""
    written = with_texts_only(50)
    write_corpus(tmp_path / "c", {"train": written, "test": records(5, "held")}, name="c", max_shard_bytes=60_000)
    if without_manifest:
        (tmp_path / "c" / "manifest.json").unlink()
        for file in (tmp_path / "c" / "data").glob("*.parquet"):
            pq.write_table(pq.read_table(file), file)
    corpus = Corpus.open(tmp_path / "c")
    assert sorted(corpus.records("train"), key=by_number) == sorted(written, key=by_number)
    assert corpus.image_count("train") == sum(record.image is not None for record in written)
    assert corpus.image_count("test") == 5
    for block in corpus.blocks("train"):
        table = corpus.read(block)
        absent = table["image"].is_null().to_pylist()
        assert absent == [hash == 0 for hash in table["image_hash"].to_pylist()]


def by_number(record: Record) -> str:
    return record.id


def test_a_row_group_of_texts_only_is_as_large_as_its_records_are_in_memory(tmp_path: Path) -> None:
    silent = [replace(record, image=None) for record in records(64)]
    write_corpus(tmp_path / "c", {"train": silent}, name="c", row_group_bytes=8 * TEXTS_ONLY_BYTES)
    assert [block.rows for block in Corpus.open(tmp_path / "c").blocks("train")] == [8] * 8


def test_the_datasets_library_opens_records_without_an_image(tmp_path: Path) -> None:
    written = with_texts_only(9)
    write_corpus(tmp_path / "c", {"train": written}, name="c")
    files = sorted(map(str, (tmp_path / "c" / "data").glob("*.parquet")))
    opened = datasets.Dataset.from_parquet(files, cache_dir=str(tmp_path / "cache"))
    expected = {record.id: record.image for record in written}
    for row in opened:
        if expected[row["id"]] is None:
            assert row["image"] is None
        else:
            assert row["image"].size == (4, 4)
    assert len(opened) == 9
