"""Columns: numbers and texts out of whatever type a log holds them in, and which of them are no good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from manyview.corpus.fingerprint import identity
from manyview.corpus.sources.block import plain
from manyview.corpus.sources.cells import NOTHING, WHOLE
from manyview.errors import UsageError

__all__ = ["Bools", "Ints", "Texts", "floats", "ids", "is_texts", "numerals", "texts", "user_keys", "whole_numbers"]

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_MAX_COUNT = 10**9
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
        column = _as_text(plain(column), name).dictionary_encode()
    codes: Ints = column.indices.cast(pa.int64()).fill_null(-1).to_numpy(zero_copy_only=False)
    values = _as_text(plain(column.dictionary), name)
    nothing = pc.is_in(values.cast(pa.binary()), NOTHING.cast(pa.binary()))
    used = np.zeros(len(values) + 1, bool)
    used[codes] = True
    used[:-1] &= pc.and_(values.is_valid(), pc.invert(nothing)).to_numpy(zero_copy_only=False)
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
    if is_texts(of):
        return values
    if pt.is_integer(of):
        return values.cast(pa.string())
    if pt.is_floating(of):
        return _whole(values).cast(pa.string())
    raise UsageError(f"the column {name!r} of the click log holds {of}, allowed: text or whole numbers")


def _whole(values: pa.Array) -> pa.Array:
    """Whole numbers as such, others null; pandas turns whole numbers with gaps into floats."""
    whole = pc.and_(pc.is_finite(values), pc.equal(pc.floor(values), values))
    return pc.if_else(whole, values, None).cast(pa.int64(), safe=False)


def whole_numbers(column: pa.Array, name: str) -> tuple[Ints, Bools, Bools]:
    """Values, which are missing, and which are no whole number from 0 to 1e9; values of those are 0."""
    column = plain(column)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    if pt.is_integer(column.type) and not column.null_count:
        whole = column.to_numpy(zero_copy_only=False)
        right = (whole >= 0) & (whole <= _MAX_COUNT)
        return np.where(right, whole, 0).astype(np.int64), missing, ~right
    numbers = floats(column, name)
    with np.errstate(invalid="ignore"):
        good = (numbers >= 0) & (numbers <= _MAX_COUNT) & (np.floor(numbers) == numbers)
    return np.where(good, numbers, 0).astype(np.int64), missing, ~good & ~missing


def floats(column: pa.Array, name: str) -> npt.NDArray[np.float64]:
    """NaN where there is no number."""
    column = plain(column)
    of = column.type
    if is_texts(of):
        column = numerals(column)
    elif pt.is_boolean(of):
        column = column.cast(pa.int8())
    elif not (pt.is_integer(of) or pt.is_floating(of) or pt.is_decimal(of)):
        raise UsageError(f"the column {name!r} of the click log holds {of}, allowed: numbers")
    numbers: npt.NDArray[np.float64] = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return numbers


def is_texts(of: pa.DataType) -> bool:
    """Whether the type is one of text or bytes that `plain` leaves."""
    return bool(pt.is_string(of) or pt.is_binary(of))


def numerals(column: pa.Array) -> pa.Array:
    """Texts as float64, null where they are no number."""
    of_bytes = column.cast(pa.binary())
    numeric = pc.match_substring_regex(of_bytes, _NUMBER)
    return pc.ascii_trim_whitespace(pc.if_else(numeric, of_bytes, None).cast(pa.string())).cast(pa.float64())


def ids(column: pa.Array, name: str) -> Texts:
    """As `texts`; a whole number that was written as 7.0 is 7, as where a table was read with gaps in it."""
    found = texts(column, name)
    if not pc.any(pc.match_substring(found.values, ".0")).as_py():
        return found
    values = pc.replace_substring_regex(found.values, WHOLE, r"\1")
    coded = values.dictionary_encode()
    codes = coded.indices.to_numpy().astype(np.int64)
    broken = np.zeros(len(coded.dictionary), bool)
    broken[codes[found.broken]] = True
    return Texts(np.append(codes, -1)[found.codes], coded.dictionary, broken)


def user_keys(column: pa.Array, name: str) -> tuple[Ints, Bools]:
    """64 bits for each user, and which rows have none: whole numbers are themselves, texts are hashed."""
    column = _whole(column) if pt.is_floating(column.type) else column
    if pt.is_integer(column.type):
        known = column.is_valid().to_numpy(zero_copy_only=False)
        numbers = column.cast(pa.int64(), safe=False).fill_null(0).to_numpy(zero_copy_only=False)
        return numbers, ~known
    found = ids(column, name)
    keys = [identity(value.encode()) for value in found.values.to_pylist()]
    named = np.array([*keys, 0], np.int64)
    return named[found.codes], found.codes < 0
