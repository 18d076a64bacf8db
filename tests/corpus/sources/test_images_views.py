"""Laws of the two-table contract: its rows come back as they are, with what is missing filled in."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.sources.reading import everything

from manyview.corpus.sources import IMAGES, VIEWS
from manyview.corpus.sources.images_views import ImagesViewsConfig, ImagesViewsSource
from manyview.errors import UsageError


def images(count: int) -> pa.Table:
    rows = [
        {
            "id": f"i{n}",
            "group": f"g{n // 2}",
            "license": "CC0-1.0",
            "bytes": bytes([n]) if n % 3 == 0 else None,
            "path": f"/tars/{n}.tar" if n % 3 == 1 else None,
            "offset": 512 * n if n % 3 == 1 else None,
            "length": 7 + n if n % 3 == 1 else None,
            "url": f"https://x.org/{n}.jpg" if n % 3 == 2 else None,
        }
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows, IMAGES)


def views(count: int) -> pa.Table:
    rows = [
        {"id": f"i{n // 2}", "kind": "query", "text": f"t {n}", "lang": "en", "weight": n / 4, "origin": f"log:{n}"}
        for n in range(count)
    ]
    return pa.Table.from_pylist(rows, VIEWS)


def test_tables_in_the_contracts_types_come_back_whole(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    pq.write_table(images(20), tmp_path / "images.parquet", row_group_size=6)
    for start in range(0, 40, 15):
        pq.write_table(views(40).slice(start, 15), tmp_path / "v" / f"part-{start:02d}.parquet")
    (tmp_path / "v" / "_SUCCESS").touch()
    config = ImagesViewsConfig(images=str(tmp_path / "images.parquet"), views=str(tmp_path / "v"))
    found = everything(ImagesViewsSource(config))
    assert found.images == images(20).to_pylist()
    assert found.views == views(40).to_pylist()
    assert not found.skipped


def test_what_engines_write_differently_is_read(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "path": ["a.jpg", "../b.jpg"], "more": [[1], []]}), tmp_path / "i.parquet")
    words = pa.table(
        {
            "id": pa.array([1, 1], pa.int32()),
            "kind": pa.array(["title", "title"]).dictionary_encode(),
            "text": pa.array([b"one", "zwölf".encode()], pa.large_binary()),
            "weight": pa.array([1, None], pa.decimal128(5, 2)),
        }
    )
    pq.write_table(words, tmp_path / "v.parquet")
    config = ImagesViewsConfig(images=str(tmp_path / "i.parquet"), views=str(tmp_path / "v.parquet"))
    found = everything(ImagesViewsSource(config))
    assert found.column("path") == [str(tmp_path / "a.jpg"), f"{tmp_path}/../b.jpg"]
    assert found.texts("id", "text", "lang", "weight", "origin") == [
        ("1", "one", "", 1.0, "v.parquet:0"),
        ("1", "zwölf", "", 1.0, "v.parquet:1"),
    ]
    kept_inside = ImagesViewsConfig(images=str(tmp_path / "i.parquet"), root=str(tmp_path))
    assert everything(ImagesViewsSource(kept_inside)).skipped == {
        "image: path that is not allowed": 1,
        "row: no image": 1,
    }


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    pq.write_table(
        pa.table({"id": ["a", "", None, "d"], "url": ["ftp://x", "http://y", "http://z", None]}), tmp_path / "i.parquet"
    )
    rows = [
        ("a", "title", "fine", 1.0),
        (None, "title", "x", 1.0),
        ("b", "", "x", 1.0),
        ("b", "two words", "x", 1.0),
        ("b", "title", " ", 1.0),
        ("b", "title", "x" * (2 << 20), 1.0),
        ("b", "title", "x", -1.0),
        ("b", "title", "x", float("inf")),
    ]
    columns = dict(zip(("id", "kind", "text", "weight"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table({name: list(values) for name, values in columns.items()}), tmp_path / "v.parquet")
    config = ImagesViewsConfig(images=str(tmp_path / "i.parquet"), views=str(tmp_path / "v.parquet"))
    found = everything(ImagesViewsSource(config))
    assert found.texts() == [("a", "title", "fine")] and not found.images
    assert found.skipped == Counter(
        {
            "id: empty": 3,
            "image: not an http address": 1,
            "row: no image": 2,
            "kind: empty": 1,
            "kind: not a name": 1,
            "text: empty": 1,
            "text: longer than 1 MB": 1,
            "weight: not a number of at least 0": 2,
        }
    )


def test_tables_that_are_not_there_or_lack_a_column_are_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"], "texts": ["b"]}), tmp_path / "v.parquet")
    with pytest.raises(UsageError, match="no column 'kind'"):
        ImagesViewsSource(ImagesViewsConfig(views=str(tmp_path / "v.parquet"))).parts()
    with pytest.raises(UsageError, match="no file at"):
        ImagesViewsSource(ImagesViewsConfig(images=str(tmp_path / "missing"))).parts()
    with pytest.raises(UsageError, match="needs `images` or `views`"):
        ImagesViewsSource(ImagesViewsConfig()).parts()
