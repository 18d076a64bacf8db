"""Laws of the way from a click log to query views."""

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.corpus.clicks.logs import START, Row, built, by_definition, random_rows, table, written

import manyview
from manyview.corpus.clicks import ClickLog, in_processes, query_views
from manyview.corpus.clicks.stages import Result, Unit
from manyview.corpus.sources.contract import VIEWS
from manyview.errors import UsageError

ALL: dict[str, Any] = {"time": "time", "position": "position", "user": "user", "examination": "rate"}
LOOSE: dict[str, Any] = {"min_clicks": 1, "min_query_clicks": 1, "min_query_users": 1}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "settings",
    [
        LOOSE,
        {"half_life_days": 7.0, "top_k": 2},
        {"min_users": 3, "min_query_users": 4, "max_query_images": 8, "max_user_clicks_per_hour": 3},
        {"max_user_click_rate": 0.45, "min_user_clicks": 10, "min_query_clicks": 30, "prior_clicks": 0.5},
    ],
)
def test_the_views_are_those_of_the_definition(tmp_path: Path, seed: int, settings: dict[str, Any]) -> None:
    rows = random_rows(seed)
    log = written(rows, tmp_path, **ALL, **settings)
    found, report = built(log, tmp_path, parts=3)
    expected, skipped = by_definition(rows, log, report.prior_clicks)
    assert [view | {"weight": 0} for view in found] == [view | {"weight": 0} for view in expected]
    assert [view["weight"] for view in found] == pytest.approx([view["weight"] for view in expected], rel=1e-6)
    assert (report.rows, report.views, report.skipped) == (len(rows), len(expected), skipped)
    assert all(0 < view["weight"] <= 1 for view in found)


@pytest.mark.parametrize("settings", [{}, {"half_life_days": 3.0}, {"examination": "estimated", "user": None}])
def test_neither_order_nor_files_nor_parts_nor_processes_change_a_bit(tmp_path: Path, settings: dict[str, Any]) -> None:
    rows = random_rows(5, 900)
    chosen = ALL | LOOSE | settings
    first = built(written(rows, tmp_path / "a", **chosen), tmp_path / "a", parts=1)
    random.Random(0).shuffle(rows)
    (tmp_path / "b").mkdir()
    for i in range(3):
        pq.write_table(table(rows[i::3]), tmp_path / f"b/{i}.parquet", row_group_size=50)
    split = ClickLog(path=str(tmp_path / "b/*.parquet"), **chosen)
    for parts in (2, 7):
        assert built(split, tmp_path / f"c{parts}", parts=parts) == first
    assert first[0]


_PARENT = """
import multiprocessing, os, signal
from manyview.corpus.clicks import in_processes
from manyview.corpus.clicks.stages import stage
from pathlib import Path

def whoami(of):
    return {"pid": os.getpid()}

if __name__ == "__main__":
    with in_processes(2) as run:
        found = list(run(stage("who", Path.cwd(), whoami, [(1,), (2,)])))
        print(*{worker.pid for worker in multiprocessing.active_children()}, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_the_processes_of_a_killed_build_end_too(tmp_path: Path) -> None:
    (tmp_path / "parent.py").write_text(_PARENT, encoding="utf-8")
    command = [sys.executable, "parent.py"]
    env = os.environ | {"PYTHONPATH": str(Path(manyview.__file__).parents[1])}
    ended = subprocess.run(command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode < 0
    assert ended.stdout.split()  # and stdout was closed by all who held it, or this would have timed out


@pytest.mark.slow
def test_processes_change_nothing(tmp_path: Path) -> None:
    log = written(random_rows(6), tmp_path, **ALL)
    with in_processes(2) as run:
        assert built(log, tmp_path / "a", parts=4) == built(log, tmp_path / "b", parts=4, run=run)


def test_a_smaller_sample_does_not_depend_on_parts_either(tmp_path: Path) -> None:
    log = written(random_rows(7), tmp_path, **(ALL | LOOSE | {"examination": "estimated"}))
    found = [built(log, tmp_path / f"{parts}", parts=parts, sample_rows=40) for parts in (1, 2, 5)]
    assert found[0] == found[1] == found[2]
    assert found[0][1].examination != built(log, tmp_path / "all")[1].examination


def test_a_killed_build_goes_on_where_it_was(tmp_path: Path) -> None:
    log = written(random_rows(8), tmp_path, **ALL)
    whole = built(log, tmp_path / "whole", parts=3)
    done = list[str]()
    for limit in (1, 3, 2, 5):
        left = limit

        def until_killed(units: list[Unit]) -> list[Result]:
            nonlocal left
            results = list[Result]()
            for unit in units:
                fresh = not unit.record.exists()
                left -= fresh
                if left < 0:
                    raise KeyboardInterrupt
                if fresh:
                    done.append(unit.record.name)
                results.append(unit())
            return results

        with pytest.raises(KeyboardInterrupt):
            query_views(log, tmp_path / "again/views", tmp_path / "again/work", until_killed, parts=3)
        assert not (tmp_path / "again/views").exists()
    assert built(log, tmp_path / "again", parts=3) == whole
    assert len(done) == len(set(done)) > 9


def test_each_row_of_a_log_without_counts_is_a_click(tmp_path: Path) -> None:
    clicks = [("a", "1")] * 6 + [("a", "2")] * 2 + [("b", "2")] * 4
    rows: list[Row] = [
        {"query": q, "id": i, "impressions": 1, "clicks": 1, "time": START, "position": 1, "user": "u"}
        for q, i in clicks
    ]
    log = written(rows, tmp_path, impressions=None, clicks=None, prior_clicks=2.0)
    found, _ = built(log, tmp_path)
    mean = 12 / (8 + 8 + 4)  # clicks over clicks of the query, once for each of its images
    expected = {}
    for query, image, own, of_query in (("a", "1", 6, 8), ("b", "2", 4, 4), ("a", "2", 2, 8)):
        rho = (own + 2) / (of_query * mean + 2)
        expected[query, image] = (rho / (1 + rho), f"clicks:{own}")
    assert {(view["text"], view["id"]): (pytest.approx(view["weight"]), view["origin"]) for view in found} == expected


def test_a_row_for_each_showing_is_the_same_as_counts(tmp_path: Path) -> None:
    counted = [row for row in random_rows(9) if row["impressions"]]
    single = [
        {**row, "impressions": 1, "clicks": int(i < row["clicks"])}
        for row in counted
        for i in range(row["impressions"])
    ]
    settings = ALL | LOOSE
    one = built(written(counted, tmp_path / "a", **settings), tmp_path / "a")[0]
    other = built(written(single, tmp_path / "b", **settings, impressions=None), tmp_path / "b")[0]
    assert one == other and one


def test_the_result_has_the_schema_of_the_contract_also_when_the_log_is_empty(tmp_path: Path) -> None:
    for rows in (random_rows(1), []):
        log = written(rows, tmp_path, **ALL)
        query_views(log, tmp_path / "views", tmp_path / "work", parts=2)
        files = sorted((tmp_path / "views").iterdir())
        assert files and all(pq.read_schema(file).equals(VIEWS) for file in files)


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    log = written(random_rows(1), tmp_path)
    with pytest.raises(UsageError, match="holds other files"):
        query_views(log, tmp_path, tmp_path / "work")
    assert (tmp_path / "log.parquet").exists()
