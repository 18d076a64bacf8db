"""Laws of where images come from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.errors import DataError, UsageError
from manyview.tags.inputs import images_at, images_of_source, images_of_table


def test_a_corpus_gives_every_record_of_every_split() -> None:
    given = images_at("starter")
    corpus = Corpus.open("starter")
    split, *_ = corpus.splits
    for record, (id, image) in zip(corpus.records(split), given, strict=False):
        assert (record.id, record.image) == (id, image)
        if id.endswith("9"):
            break


def test_a_folder_gives_its_images_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b.jpg", "a/c.PNG", "a.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "gone.png").symlink_to(tmp_path / "nowhere.png")
    assert list(images_at(tmp_path)) == [("a/c.PNG", b"a/c.PNG"), ("b.jpg", b"b.jpg")]
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no images in"):
        list(images_at(tmp_path / "empty"))


def test_a_table_gives_its_bytes_or_its_image_structs(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "bytes": [b"x", None]}), tmp_path / "a.parquet")
    assert list(images_at(tmp_path / "a.parquet")) == [("1", b"x"), ("2", b"")]
    pq.write_table(pa.table({"id": ["a"], "image": [{"bytes": b"x", "path": None}]}), tmp_path / "b.parquet")
    assert list(images_at(tmp_path / "b.parquet")) == [("a", b"x")]
    pq.write_table(pa.table({"key": ["a"]}), tmp_path / "c.parquet")
    with pytest.raises(UsageError, match=r"has no column \['id', 'image'\], only \['key'\]"):
        list(images_at(tmp_path / "c.parquet"))
    (tmp_path / "d.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="is damaged or no Parquet file"):
        list(images_of_table(tmp_path / "d.parquet"))


def test_a_place_with_nothing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no images at"):
        images_at(tmp_path / "nowhere")


@dataclass(frozen=True)
class OnePart:
    """A source whose only part is itself."""

    rows: tuple[dict[str, object], ...]
    name: str = "part"
    version: str = "1"

    def parts(self) -> Sequence["OnePart"]:
        return [self]

    def read(self) -> Iterator[Batch]:
        yield Batch(pa.Table.from_pylist(list(self.rows), schema=IMAGES), VIEWS.empty_table())


def test_a_source_gives_bytes_files_and_pieces_of_files(tmp_path: Path) -> None:
    (tmp_path / "many.tar").write_bytes(b"0123456789")
    file = str(tmp_path / "many.tar")
    rows = (
        {"id": "bytes", "bytes": b"x"},
        {"id": "file", "path": file},
        {"id": "piece", "path": file, "offset": 2, "length": 3},
        {"id": "gone", "path": str(tmp_path / "nowhere")},
        {"id": "url", "url": "https://example.org/a.jpg"},
    )
    expected = [("bytes", b"x"), ("file", b"0123456789"), ("piece", b"234"), ("gone", b""), ("url", b"")]
    assert list(images_of_source(OnePart(rows))) == expected


def test_records_of_texts_only_have_no_image_to_tag(tmp_path: Path) -> None:
    records = [Record(f"r{n}", f"r{n}", None if n % 2 else b"x", (Text("title", str(n)),)) for n in range(6)]
    write_corpus(tmp_path / "corpus", {"train": records}, name="c")
    assert sorted(images_at(tmp_path / "corpus")) == [(f"r{n}", b"x") for n in (0, 2, 4)]
