"""Cells: columns of whatever type as texts, lists of texts or numbers, with what had to be left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.sources.block import plain, written_float
from manyview.corpus.sources.written_lists import written_list

__all__ = [
    "MAX_TEXT_BYTES",
    "NOTHING",
    "WHOLE",
    "WRITTEN_LIST",
    "Exploded",
    "as_ids",
    "as_numbers",
    "as_texts",
    "exploded",
    "fault_of",
]

MAX_TEXT_BYTES = 1 << 20
WRITTEN_LIST = "list"  # a cell is a list written out
LIST = pa.list_(pa.string())
OPENING = pa.array(["[", "{", "("])
NOTHING = pa.array(  # how programs write that a cell is empty
    ["nan", "NaN", "NAN", "-nan", "null", "Null", "NULL", "none", "None", "<NA>", "NA", "N/A", "n/a", "#N/A", r"\N"]
)
WHOLE = r"^([+-]?\d+)\.0+$"


@dataclass(frozen=True)
class Exploded:
    """Texts, each with the place of the row that has it."""

    rows: pa.Array
    texts: pa.Array
    skipped: Counter[str]


def as_texts(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Trimmed texts or null, and which cells hold something that is no text, number or list of just one.

    Blank cells and those in which a program wrote that there is NOTHING are null.
    """
    column = plain(column)
    if pa.types.is_list(column.type):
        several = pc.fill_null(pc.greater(pc.list_value_length(column), 1), False)
        texts, wrong = as_texts(_only(column))
        return texts, pc.or_(wrong, several)
    texts = _texts(column)
    wrong = pc.and_(column.is_valid(), texts.is_null())
    if pa.types.is_floating(column.type):
        wrong = pc.and_(wrong, pc.invert(pc.fill_null(pc.is_nan(column), False)))
    trimmed = pc.utf8_trim_whitespace(texts)
    empty = pc.or_(pc.equal(trimmed, ""), pc.is_in(trimmed, NOTHING))
    return pc.if_else(pc.fill_null(empty, True), pa.scalar(None, pa.string()), trimmed), wrong


def as_ids(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """As `as_texts`, and whole numbers are written as such: a table that was read with gaps in it holds 7.0 for 7."""
    texts, wrong = as_texts(column)
    return pc.replace_substring_regex(texts, WHOLE, r"\1"), wrong


def fault_of(column: pa.Array) -> str:
    """What is wrong with the cells of a column that are no text."""
    kind = plain(column).type
    return "not UTF-8" if pa.types.is_string(kind) or pa.types.is_binary(kind) else "not a text or number"


def as_numbers(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Numbers as float64 or null, and which cells hold something else. A written number is one."""
    column = plain(column)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
        return column.cast(pa.float64(), safe=False), pa.array([False] * len(column), pa.bool_())
    texts, wrong = as_texts(column)
    numbers = pa.array([_number(text) for text in texts.to_pylist()], pa.float64())
    return numbers, pc.or_(wrong, pc.and_(texts.is_valid(), numbers.is_null()))


def exploded(column: pa.Array, split: str) -> Exploded:
    """The texts of a column one by one: of lists each element, of a cell with a separator each piece.

    Elements that are no text are counted, and so are texts over MAX_TEXT_BYTES.
    """
    rows, values = _flattened(plain(column))
    texts, wrong = as_texts(values)
    skipped = Counter({f"text: {fault_of(values)}": pc.sum(wrong).as_py() or 0})
    if split:
        inner, values = _flattened(_split(texts, split, skipped))
        rows = rows.take(inner)
        texts, _ = as_texts(values)
    small = pc.fill_null(pc.less_equal(pc.binary_length(texts), MAX_TEXT_BYTES), False)
    skipped["text: longer than 1 MB"] = pc.sum(texts.is_valid()).as_py() - pc.sum(small).as_py() if len(texts) else 0
    return Exploded(rows.filter(small), texts.filter(small), +skipped)


def _flattened(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    rows = pa.array(range(len(column)), pa.int64())
    while pa.types.is_list(column.type):
        lengths = pc.fill_null(pc.list_value_length(column), 0)  # a null may have values, which flatten leaves out
        rows = rows.take(pa.array(np.repeat(np.arange(len(column)), lengths)))
        column = plain(pc.list_flatten(column))
    return rows, column


def _split(texts: pa.Array, split: str, skipped: Counter[str]) -> pa.Array:
    """Lists of the pieces of each text. A list that is written out is not cut at a separator; objects are counted."""
    if split == WRITTEN_LIST:
        pieces = pa.ListArray.from_arrays(pa.array(range(len(texts) + 1), pa.int32()), texts)
    else:
        pieces = pc.split_pattern(texts, split)
    opening = OPENING if split == WRITTEN_LIST else OPENING[:2]
    rows = np.flatnonzero(pc.fill_null(pc.is_in(pc.utf8_slice_codeunits(texts, 0, 1), opening), False))
    lists = [(row, found) for row in rows.tolist() if (found := written_list(texts[row].as_py())) is not None]
    if not lists:
        return pieces
    skipped["text: not a text or number"] += sum(
        not found and texts[row].as_py()[1:-1].strip() != "" for row, found in lists
    )
    where = np.arange(len(texts))
    where[[row for row, _ in lists]] = len(texts) + np.arange(len(lists))
    return pa.concat_arrays([pieces, pa.array([found for _, found in lists], LIST)]).take(pa.array(where))


def _texts(column: pa.Array) -> pa.Array:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _utf8(column)
    if pa.types.is_floating(kind):
        return pa.array([None if one is None else written_float(one) for one in column.to_pylist()], pa.string())
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_date(kind):
        return column.cast(pa.string())
    return pa.nulls(len(column), pa.string())


def _only(column: pa.Array) -> pa.Array:
    """What lists of one hold, null for others."""
    alone = pc.fill_null(pc.equal(pc.list_value_length(column), 1), False)
    return pc.list_element(pc.if_else(alone, column, pa.scalar([None], column.type)), 0)


def _utf8(column: pa.Array) -> pa.Array:
    """Valid UTF-8 as it is, anything else null. Arrow's readers do not look."""
    raw = column.cast(pa.binary())
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([_decoded(one) for one in raw.to_pylist()], pa.string())


def _decoded(raw: bytes | None) -> str | None:
    try:
        return None if raw is None else raw.decode()
    except UnicodeDecodeError:
        return None


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
