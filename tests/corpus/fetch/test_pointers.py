"""Laws of pointers into a fetch store."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
from tests.corpus.fetch.site import image

from manyview.corpus.fetch import FetchStore, point_to_fetched
from manyview.corpus.fetch.writer import StoreWriter
from manyview.corpus.sources.contract import IMAGES


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist([dict.fromkeys(IMAGES.names) | row for row in rows], schema=IMAGES)


def test_rows_with_only_a_url_point_to_its_bytes_and_others_stay(tmp_path: Path) -> None:
    with StoreWriter(tmp_path) as writer:
        for number in range(3):
            writer.add(f"http://a.example/{number}", BytesIO(image(number)), "image/png")
        writer.fail("http://a.example/gone", "http status 404")
    images = table(
        {"id": "path", "path": "x.png", "url": "http://a.example/0"},
        {"id": "2", "url": "http://a.example/2"},
        {"id": "gone", "url": "http://a.example/gone"},
        {"id": "bytes", "bytes": b"x", "url": "http://a.example/gone"},
        {"id": "nothing"},
        {"id": "new", "url": "http://a.example/new"},
        {"id": "1", "url": "http://a.example:80/1#top", "group": "g"},
    )
    pointed, skipped = point_to_fetched(images, FetchStore(tmp_path))
    assert pointed.schema == IMAGES
    assert skipped == {"http status 404": 1, "fetch: not tried yet": 1}
    rows = {row["id"]: row for row in pointed.to_pylist()}
    assert list(rows) == ["path", "2", "bytes", "nothing", "1"]
    for name in ("path", "bytes", "nothing"):
        assert rows[name] == next(row for row in images.to_pylist() if row["id"] == name)
    for name in ("1", "2"):
        file = Path(rows[name]["path"]).read_bytes()
        assert file[rows[name]["offset"] :][: rows[name]["length"]] == image(int(name))
    assert rows["1"]["group"] == "g"


def test_an_empty_table_stays_empty(tmp_path: Path) -> None:
    pointed, skipped = point_to_fetched(IMAGES.empty_table(), FetchStore(tmp_path))
    assert (pointed.num_rows, pointed.schema, skipped) == (0, IMAGES, {})
