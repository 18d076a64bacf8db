"""Laws of times: a moment is itself in every form and type, and a log in two forms is refused."""

import datetime
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.clicks.logs import built

from manyview.corpus.clicks import ClickLog
from manyview.corpus.clicks.times import seconds
from manyview.errors import UsageError

UTC = datetime.UTC
LOOSE: dict[str, Any] = {"min_clicks": 1, "min_query_clicks": 1, "min_query_users": 1}
MOMENTS = st.datetimes(datetime.datetime(1991, 1, 1), datetime.datetime(2032, 12, 31), timezones=st.just(UTC))
COMPACT = {"%Y%m%d": 86_400, "%Y%m%d%H": 3600, "%Y%m%d%H%M": 60, "%Y%m%d%H%M%S": 1}
WRITERS: dict[str, tuple[Callable[[datetime.datetime], Any], int]] = {
    **{form: (lambda at, form=form: at.strftime(form), grain) for form, grain in COMPACT.items()},
    **{f"{form} number": (lambda at, form=form: int(at.strftime(form)), grain) for form, grain in COMPACT.items()},
    **{f"{form} float": (lambda at, form=form: float(at.strftime(form)), grain) for form, grain in COMPACT.items()},
    **{f"epoch {power}": (lambda at, power=power: int(at.timestamp()) * 10**power, 1) for power in (0, 3, 6, 9)},
    **{f"epoch text {power}": (lambda at, power=power: str(int(at.timestamp()) * 10**power), 1) for power in (0, 3)},
    "ISO": (lambda at: at.isoformat(), 1),
    "ISO basic": (lambda at: at.strftime("%Y%m%dT%H%M%SZ"), 1),
    "another zone": (lambda at: at.astimezone(datetime.timezone(datetime.timedelta(hours=9))).isoformat(), 1),
    "BigQuery": (lambda at: at.strftime("%Y-%m-%d %H:%M:%S UTC"), 1),
    "slashes": (lambda at: at.strftime("%Y/%m/%d %H:%M:%S"), 1),
}


@given(st.lists(MOMENTS, min_size=1, max_size=5), st.sampled_from(sorted(WRITERS)))
def test_a_moment_is_itself_however_it_is_written(moments: list[datetime.datetime], form: str) -> None:
    write, grain = WRITERS[form]
    found, bad = seconds(pa.array([write(at) for at in moments]), "time")
    assert found.tolist() == [int(at.timestamp()) // grain * grain for at in moments] and not bad.any()


STAMPS = [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Tokyo")]
AT = datetime.datetime(2024, 1, 31, tzinfo=UTC)
SECOND = int(AT.timestamp())
TYPED = [
    *(pa.array([AT if kind.tz else AT.replace(tzinfo=None), None], kind) for kind in STAMPS),
    pa.array([AT.date(), None], pa.date32()),
    pa.array([AT.date(), None], pa.date64()),
    *(pa.array(["2024-01-31", None], kind) for kind in (pa.string(), pa.large_string(), pa.string_view())),
    *(pa.array([b"20240131", None], kind) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    *(pa.array([20240131, None], kind) for kind in (pa.int32(), pa.uint64(), pa.float64())),
    pa.array([Decimal(SECOND), None], pa.decimal128(18, 3)),
    pa.array(["2024-01-31T00:00:00Z", None]).dictionary_encode(),
    pa.array([20240131, None]).dictionary_encode(),
    pa.array([AT, None], pa.timestamp("us", "UTC")).dictionary_encode(),
    pa.array(["20240131", "nan"]),
    pa.array(["20240131", "\\N"]),
]


@pytest.mark.parametrize("column", TYPED, ids=lambda column: str(column.type))
def test_a_moment_is_itself_in_every_type(column: pa.Array) -> None:
    found, bad = seconds(column, "time")
    assert found.tolist() == [SECOND, 0] and bad.tolist() == [False, True]


@pytest.mark.parametrize("wrong", [20241331, 20240230, 2024013124, 202401312460, 20240131081061, 20230229])
def test_digits_that_are_no_date_are_no_other_time(wrong: int) -> None:
    for column in (pa.array([wrong]), pa.array([str(wrong)])):
        assert seconds(column, "time")[1].tolist() == [True]


def log_of(folder: Path, times: pa.Array, **settings: Any) -> ClickLog:
    rows = len(times)
    columns = {"query": ["cup"] * rows, "id": ["1"] * rows, "user": [f"u{row % 3}" for row in range(rows)]}
    pq.write_table(pa.table({**columns, "time": times}), folder / "log.parquet")
    forms = {"time": "time", "user": "user", "impressions": None, "clicks": None} | settings
    return ClickLog(path=str(folder / "log.parquet"), **LOOSE, **forms)


@pytest.mark.parametrize("times", [["31/01/2024", "01/02/2024"], ["yesterday", "today"], ["240131", "x", "y"]])
def test_times_that_cannot_be_read_are_refused_in_a_sentence(times: list[str], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the times in column 'time' of .* cannot be read, allowed: ISO 8601"):
        built(log_of(tmp_path, pa.array(times)), tmp_path)


@pytest.mark.parametrize("times", [[20240131, SECOND], ["20240131", str(SECOND * 1000)]])
def test_dates_beside_seconds_are_refused_in_a_sentence(times: list[Any], tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give one form of time"):
        built(log_of(tmp_path, pa.array(times)), tmp_path)


@pytest.mark.parametrize("form", COMPACT)
def test_people_are_no_robots_because_their_log_is_written_compactly(form: str, tmp_path: Path) -> None:
    moments = [AT + datetime.timedelta(days=day, hours=hour) for day in range(60) for hour in range(0, 24, 2)]
    times = [int(at.strftime(form)) for at in moments for _ in range(3)]
    assert not built(log_of(tmp_path, pa.array(times)), tmp_path)[1].skipped


@pytest.mark.parametrize("watched", ["user", None])
def test_a_day_of_dates_may_hold_what_its_hours_may(watched: str | None, tmp_path: Path) -> None:
    times = [AT.date() + datetime.timedelta(days=day) for day in range(30) for _ in range(360)]
    views, report = built(log_of(tmp_path, pa.array(times), user=watched), tmp_path)
    assert len(views) == 1 and not report.skipped
    (tmp_path / "busy").mkdir()
    busy = [*times, *[AT.date()] * 30_000]
    reasons = built(log_of(tmp_path / "busy", pa.array(busy), user=watched), tmp_path / "busy")[1].skipped
    assert any("too many clicks" in reason or "burst" in reason for reason in reasons)
