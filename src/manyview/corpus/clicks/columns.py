"""Columns: numbers, times and texts out of whatever type a log holds them in, and which of them are no good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from manyview.corpus.fingerprint import identity
from manyview.errors import UsageError

__all__ = ["Bools", "Ints", "Texts", "seconds", "texts", "user_keys", "whole_numbers"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MAX_COUNT = 10**9
_LATEST_S = 2**33  # in the year 2242
_NUMBER = r"^\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*$"


@dataclass(frozen=True)
class Texts:
    """A column of texts: `values[codes[i]]` is the text of row i, code -1 is none, each value is used.

    `broken` says which values are not UTF-8; these stand there as "".
    """

    codes: Ints
    values: pa.StringArray
    broken: Bools


def texts(column: pa.Array, name: str) -> Texts:
    """Raises UsageError for a column that holds neither text nor whole numbers."""
    if not pt.is_dictionary(column.type):
        column = _as_text(column, name).dictionary_encode()
    codes: Ints = column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    values = _as_text(column.dictionary, name)
    used = np.zeros(len(values) + 1, bool)
    used[codes] = True
    used[:-1] &= values.is_valid().to_numpy(zero_copy_only=False)
    kept = np.flatnonzero(used[:-1])
    new_codes = np.full(len(values) + 1, -1, np.int64)
    new_codes[kept] = np.arange(len(kept))
    return Texts(new_codes[codes], *_decoded(values.take(pa.array(kept))))


def _decoded(values: pa.Array) -> tuple[pa.StringArray, Bools]:
    """The values, and which are not UTF-8; Parquet files say "string" without having checked."""
    of_bytes = values.cast(pa.binary())
    try:
        return of_bytes.cast(pa.string()), np.zeros(len(values), bool)
    except pa.ArrowInvalid:
        decoded = [_utf8(value) for value in of_bytes.to_pylist()]
    return pa.array([text or "" for text in decoded], pa.string()), np.array([text is None for text in decoded])


def _utf8(value: bytes) -> str | None:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return None


def _as_text(values: pa.Array, name: str) -> pa.Array:
    of = values.type
    if pt.is_string(of) or pt.is_large_string(of) or pt.is_binary(of) or pt.is_large_binary(of):
        return values
    if pt.is_string_view(of) or pt.is_integer(of) or pt.is_null(of):
        return values.cast(pa.string())
    if pt.is_floating(of):  # pandas turns whole numbers with gaps into these
        whole = pc.and_(pc.is_finite(values), pc.equal(pc.floor(values), values))
        return pc.if_else(whole, values, None).cast(pa.int64(), safe=False).cast(pa.string())
    raise UsageError(f"the column {name!r} of the click log holds {of}, allowed: text or whole numbers")


def whole_numbers(column: pa.Array, name: str) -> tuple[Ints, Bools, Bools]:
    """Values, which are missing, and which are no whole number from 0 to 1e9; values of those are 0."""
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pt.is_integer(column.type) and not column.null_count:
        whole = column.to_numpy(zero_copy_only=False)
        right = (whole >= 0) & (whole <= _MAX_COUNT)
        return np.where(right, whole, 0).astype(np.int64), missing, ~right
    numbers = _floats(column, name)
    with np.errstate(invalid="ignore"):
        good = (numbers >= 0) & (numbers <= _MAX_COUNT) & (np.floor(numbers) == numbers)
    return np.where(good, numbers, 0).astype(np.int64), missing, ~good & ~missing


def _floats(column: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """NaN where there is no number."""
    of = column.type
    if pt.is_dictionary(of):
        column = column.dictionary_decode()
        of = column.type
    if _is_texts(of):
        column = _numerals(column)
    elif pt.is_boolean(of):
        column = column.cast(pa.int8())
    elif not (pt.is_integer(of) or pt.is_floating(of) or pt.is_decimal(of) or pt.is_null(of)):
        raise UsageError(f"the column {name!r} of the click log holds {of}, allowed: numbers")
    floats: npt.NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return floats


def _is_texts(of: pa.DataType) -> bool:
    return bool(pt.is_string(of) or pt.is_large_string(of) or pt.is_binary(of) or pt.is_large_binary(of))


def _numerals(column: pa.Array) -> pa.Array:
    of_bytes = column.cast(pa.binary())
    numeric = pc.match_substring_regex(of_bytes, _NUMBER)
    return pc.ascii_trim_whitespace(pc.if_else(numeric, of_bytes, None).cast(pa.string())).cast(pa.float64())


def seconds(column: pa.Array, name: str) -> tuple[Ints, Bools]:
    """Seconds since 1970 (0 where there are none), and which rows have none that can be read.

    Numbers are seconds, milliseconds, microseconds or nanoseconds by their size; a text or timestamp without
    a zone is UTC.
    """
    of = column.type
    if pt.is_timestamp(of) or pt.is_date(of):
        good = column.is_valid().to_numpy(zero_copy_only=False)
        moments = column.cast(pa.timestamp("us")) if pt.is_date(of) else column
        unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[moments.type.unit]
        found = moments.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) // unit
    elif _is_texts(of):
        found, good = _seconds_of_texts(column)
    else:
        found, good = _seconds_of_numbers(_floats(column, name))
    good &= (found >= 0) & (found < _LATEST_S)
    return np.where(good, found, 0), ~good


def _seconds_of_numbers(numbers: npt.NDArray[np.float64]) -> tuple[Ints, Bools]:
    good = np.isfinite(numbers)
    numbers = np.where(good, numbers, 0)
    for largest in (1e17, 1e14, 1e11):
        numbers = np.where(numbers >= largest, numbers / 1000, numbers)
    return np.clip(np.floor(numbers), -1, _LATEST_S).astype(np.int64), good


def _seconds_of_texts(column: pa.Array) -> tuple[Ints, Bools]:
    found, good = _seconds_of_numbers(_numerals(column).to_numpy(zero_copy_only=False))
    rest = np.flatnonzero(~good)
    written = column.take(pa.array(rest)).cast(pa.binary())
    for row, moment in zip(rest.tolist(), written.to_pylist(), strict=True):
        at = _iso_seconds(moment)
        if at is not None:
            found[row], good[row] = at, True
    return found, good


def _iso_seconds(moment: bytes | None) -> int | None:
    try:
        at = datetime.fromisoformat((moment or b"").decode().strip())
    except ValueError:
        return None
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() // 1)


def user_keys(column: pa.Array, name: str) -> tuple[Ints, Bools]:
    """64 bits for each user, and which rows have none: whole numbers are themselves, texts are hashed."""
    if pt.is_integer(column.type):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        numbers = column.cast(pa.int64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False)
        return numbers, ~known
    found = texts(column, name)
    keys = [identity(value.encode()) for value in found.values.to_pylist()]
    named = np.array([*keys, 0], np.int64)
    return named[found.codes], found.codes < 0
