"""Laws of the verb: it writes what its parts write, and one sentence says what is wrong."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.clicks.logs import built, random_rows, table

from manyview.corpus.clicks import ClickLog
from manyview.corpus.clicks.run import run
from manyview.errors import UsageError

COLUMNS = ("time=time", "position=position", "user=user", "examination=rate", "min_query_clicks=1")


@pytest.fixture
def log(tmp_path: Path) -> Path:
    pq.write_table(table(random_rows(3)), tmp_path / "log.parquet")
    return tmp_path / "log.parquet"


def rows(folder: Path) -> list[dict[str, object]]:
    return [row for file in sorted(folder.iterdir()) for row in pq.read_table(file).to_pylist()]


def test_the_views_are_those_of_a_build(tmp_path: Path, log: Path) -> None:
    counts = run(str(log), tmp_path / "out", overrides=COLUMNS, processes=1)
    told = dict(setting.split("=") for setting in COLUMNS)
    expected, report = built(ClickLog.model_validate({"path": str(log), **told}), tmp_path / "built")
    assert rows(tmp_path / "out") == expected
    assert counts["views"] == report.views == len(expected) > 0
    assert json.loads(json.dumps(counts))["skipped"] == dict(report.skipped)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []


def test_a_table_keeps_its_rows_and_gets_its_views(tmp_path: Path, log: Path) -> None:
    run(str(log), tmp_path / "views", overrides=COLUMNS, processes=1)
    views = rows(tmp_path / "views")
    ids = [*sorted({str(view["id"]) for view in views})[::2], "nobody clicked it"]
    pq.write_table(pa.table({"id": ids, "price": range(len(ids))}), tmp_path / "products.parquet")
    counts = run(str(log), tmp_path / "out", str(tmp_path / "products.parquet"), overrides=COLUMNS, processes=1)
    found = {str(row["id"]): row for row in rows(tmp_path / "out")}
    assert {id: row["price"] for id, row in found.items()} == dict(zip(ids, range(len(ids)), strict=True))
    for id in ids:
        said = [(view["text"], view["weight"]) for view in found[id]["views"]]  # type: ignore[attr-defined]
        assert sorted(said) == sorted((view["text"], view["weight"]) for view in views if view["id"] == id)
    assert counts["beside"]["homeless"] == len([view for view in views if view["id"] not in ids])
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_cannot_be_is_one_sentence(tmp_path: Path, log: Path) -> None:
    with pytest.raises(UsageError, match="matches no file"):
        run(str(log), tmp_path / "out", str(tmp_path / "nothing.parquet"), overrides=COLUMNS, processes=1)
    with pytest.raises(UsageError, match="nowhere"):
        run(str(tmp_path / "nowhere.parquet"), tmp_path / "out", overrides=COLUMNS, processes=1)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").touch()
    with pytest.raises(UsageError, match="holds other files"):
        run(str(log), tmp_path / "full", overrides=COLUMNS, processes=1)
    assert (tmp_path / "full" / "mine.txt").is_file()
