"""Times: seconds since 1970 out of whatever type a log holds its times in."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.types as pt

from manyview.corpus.clicks.columns import Bools, Ints, floats, is_texts, numerals
from manyview.corpus.sources.block import plain
from manyview.errors import UsageError

__all__ = ["check_times", "seconds"]

ALLOWED = (
    "ISO 8601 as 2024-01-31T08:10:00Z, 20240131 with or without hour, minute and second, seconds to nanoseconds since "
    "1970, or a column of timestamps"
)
_LATEST_S = 2**33  # in the year 2242
_COMPACT_DIGITS = (8, 10, 12, 14)  # yyyymmdd with hour, minute, second behind it
_COMPACT_YEARS = (1990, 2100)  # as seconds, milliseconds, ... these numbers are moments of 1970, 1976 or after 2033
_YEAR_FIRST = re.compile(r"(\d{4})/(\d\d)/(\d\d)")
_CHECKED_ROWS = 10_000
Numbers = npt.NDArray[np.float64]


def seconds(column: pa.Array, name: str) -> tuple[Ints, Bools]:
    """Seconds since 1970 (0 where there are none), and which rows have none that can be read.

    Numbers are yyyymmdd, with HH, MM and SS behind it or not, of 1990 to 2099 where they have as many digits, else
    seconds, milliseconds, microseconds or nanoseconds by their size. What has no zone is UTC.
    """
    column = plain(column)
    of = column.type
    if pt.is_timestamp(of) or pt.is_date(of):
        good = column.is_valid().to_numpy(zero_copy_only=False)
        moments = column.cast(pa.timestamp("us")) if pt.is_date(of) else column
        unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[moments.type.unit]
        found = moments.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) // unit
    elif is_texts(of):
        found, good = _seconds_of_texts(column)
    else:
        found, good = _seconds_of_numbers(floats(column, name))
    good &= (found >= 0) & (found < _LATEST_S)
    return np.where(good, found, 0), ~good


def check_times(column: pa.Array, name: str, file: str) -> None:
    """Raise UsageError when most of the first times cannot be read, or when they are of two forms."""
    column = plain(column.slice(0, _CHECKED_ROWS)).drop_null()
    _, bad = seconds(column, name)
    if 2 * np.count_nonzero(bad) > len(column):
        example = column[int(np.flatnonzero(bad)[0])].as_py()
        shown = example.decode("utf-8", "replace") if isinstance(example, bytes) else example
        raise UsageError(f"the times in column {name!r} of {file}, as {shown!r}, cannot be read, allowed: {ALLOWED}")
    if pt.is_timestamp(column.type) or pt.is_date(column.type):
        return
    numbers = floats(column, name)
    compact = _is_compact(numbers)
    other = np.isfinite(numbers) & ~compact
    if compact.any() and other.any():
        day, moment = (column[int(np.flatnonzero(some)[0])].as_py() for some in (compact, other))
        raise UsageError(
            f"the column {name!r} of {file} holds dates, as {day!r}, beside other numbers, as {moment!r}: "
            f"give one form of time in a log"
        )


def _digits(numbers: Numbers) -> Ints:
    """How many digits the numbers have that are compact dates by their size, 0 for others."""
    found = np.zeros(len(numbers), np.int64)
    for digits in _COMPACT_DIGITS:
        first, last = (year * 10.0 ** (digits - 4) for year in _COMPACT_YEARS)
        found[(numbers >= first) & (numbers < last)] = digits
    return found


def _is_compact(numbers: Numbers) -> Bools:
    is_compact: Bools = _digits(np.nan_to_num(numbers, nan=0.0)) > 0
    return is_compact


def _seconds_of_numbers(numbers: Numbers) -> tuple[Ints, Bools]:
    good = np.isfinite(numbers)
    numbers = np.where(good, numbers, 0)
    digits = _digits(numbers)
    scaled = numbers
    for largest in (1e17, 1e14, 1e11):
        scaled = np.where(scaled >= largest, scaled / 1000, scaled)
    found = np.clip(np.floor(scaled), -1, _LATEST_S).astype(np.int64)
    rows = np.flatnonzero(digits)
    if len(rows):
        written = numbers[rows].astype(np.int64) * 10 ** (14 - digits[rows])
        found[rows], good[rows] = _seconds_of_compact(written)
    return found, good


def _seconds_of_compact(written: Ints) -> tuple[Ints, Bools]:
    """Of numbers yyyymmddHHMMSS, and which of them are moments."""
    year, month, day = written // 10**10, written // 10**8 % 100, written // 10**6 % 100
    hour, minute, second = written // 10**4 % 100, written // 10**2 % 100, written % 100
    good = (month >= 1) & (month <= 12) & (hour < 24) & (minute < 60) & (second < 60)
    months = (year - 1970) * 12 + np.where(good, month, 1) - 1
    first, following = (some.astype("M8[M]").astype("M8[D]").astype(np.int64) for some in (months, months + 1))
    good &= (day >= 1) & (day <= following - first)
    return (first + day - 1) * 86_400 + hour * 3600 + minute * 60 + second, good


def _seconds_of_texts(column: pa.Array) -> tuple[Ints, Bools]:
    numbers = numerals(column)
    found, good = _seconds_of_numbers(numbers.to_numpy(zero_copy_only=False))
    rest = np.flatnonzero(numbers.is_null().to_numpy(zero_copy_only=False))
    written = column.take(pa.array(rest)).cast(pa.binary())
    for row, moment in zip(rest.tolist(), written.to_pylist(), strict=True):
        at = _iso_seconds(moment)
        if at is not None:
            found[row], good[row] = at, True
    return found, good


def _iso_seconds(moment: bytes | None) -> int | None:
    try:
        text = (moment or b"").decode().strip()
        at = datetime.fromisoformat(_YEAR_FIRST.sub(r"\1-\2-\3", text.removesuffix(" UTC")))
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() // 1)
