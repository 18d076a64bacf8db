"""Laws of laying views beside images."""

import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manyview.corpus.clicks.gather import SAID, GatherReport, gather
from manyview.corpus.sources.contract import VIEWS
from manyview.errors import UsageError

Rows = list[dict[str, Any]]


def random_tables(seed: int) -> tuple[Rows, Rows]:
    rng = random.Random(seed)
    images: Rows = [{"id": f"i{rng.randrange(30)}", "width": rng.randrange(9)} for _ in range(25)]
    views: Rows = [
        {
            "id": rng.choice([f"i{rng.randrange(40)}", f"i{rng.randrange(40)}", None]),
            "kind": rng.choice(["title", "tags", "query"]),
            "text": rng.choice("abcde"),
            "lang": "",
            "weight": rng.choice([0.25, 0.5, 1.0]),
            "origin": f"o{rng.randrange(4)}",
        }
        for _ in range(200)
    ]
    return images, views


def stored(images: Rows, views: Rows, folder: Path, files: int = 1) -> None:
    folder.mkdir(parents=True)
    for i in range(files):
        pq.write_table(pa.Table.from_pylist(views[i::files], VIEWS), folder / f"views-{i}.parquet", row_group_size=20)
    pq.write_table(
        pa.Table.from_pylist(images, pa.schema([("id", pa.string()), ("width", pa.int64())])), folder / "images.parquet"
    )


def gathered(folder: Path, **options: Any) -> tuple[Rows, GatherReport]:
    report = gather(
        [str(folder / "views-*.parquet")], str(folder / "images.parquet"), folder / "out", folder / "work", **options
    )
    files = sorted((folder / "out").iterdir())
    assert not list((folder / "work").iterdir())
    assert all(pq.read_schema(file).field("views").type.equals(SAID) for file in files)
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return sorted(rows, key=lambda row: row["id"]), report


def by_definition(images: Rows, views: Rows) -> Rows:
    said = defaultdict[str, Rows](list)
    for view in views:
        said[view["id"]].append({name: value for name, value in view.items() if name != "id"})
    for of_image in said.values():
        of_image.sort(key=lambda view: (view["kind"], -view["weight"], view["text"], view["origin"]))
    return sorted(({**image, "views": said[image["id"]]} for image in images), key=lambda row: row["id"])


@pytest.mark.parametrize("seed", range(5))
def test_each_image_gets_the_views_that_a_dict_finds(tmp_path: Path, seed: int) -> None:
    images, views = random_tables(seed)
    stored(images, views, tmp_path / "t")
    rows, report = gathered(tmp_path / "t", parts=3)
    assert rows == by_definition(images, views)
    known = {image["id"] for image in images}
    homeless = sum(view["id"] is not None and view["id"] not in known for view in views)
    nameless = sum(view["id"] is None for view in views)
    assert report == GatherReport(len(images), sum(len(row["views"]) for row in rows), homeless, nameless)


def test_neither_order_nor_files_nor_parts_matter(tmp_path: Path) -> None:
    images, views = random_tables(9)
    stored(images, views, tmp_path / "a")
    random.Random(1).shuffle(views)
    stored(images, views, tmp_path / "b", files=4)
    assert gathered(tmp_path / "a", parts=1) == gathered(tmp_path / "b", parts=6)


def test_tables_without_rows_are_tables(tmp_path: Path) -> None:
    images, views = random_tables(3)
    stored([], views, tmp_path / "a")
    assert gathered(tmp_path / "a")[0] == []
    stored(images, [], tmp_path / "b")
    assert [row["views"] for row in gathered(tmp_path / "b")[0]] == [[]] * len(images)


def test_what_the_user_can_put_right_is_said(tmp_path: Path) -> None:
    images, views = random_tables(0)
    stored(images, views, tmp_path / "t")
    good, table, out, work = (
        str(tmp_path / "t/views-0.parquet"),
        str(tmp_path / "t/images.parquet"),
        tmp_path / "out",
        tmp_path / "work",
    )
    with pytest.raises(UsageError, match="matches no file"):
        gather([str(tmp_path / "*.csv")], table, out, work)
    with pytest.raises(UsageError, match=r"images\.parquet has no column 'kind'"):
        gather([table], table, out, work)
    with pytest.raises(UsageError, match="holds other files"):
        gather([good], table, tmp_path / "t", work)
    pq.write_table(pa.table({"name": ["a"]}), tmp_path / "nameless.parquet")
    with pytest.raises(UsageError, match="no column 'id' but name"):
        gather([good], str(tmp_path / "nameless.parquet"), out, work)
