"""Block: some consecutive rows of a file as Arrow columns, whatever the file was."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["ILL_TYPED", "Block", "column_of", "path_in", "plain", "relisted", "row_places", "written_float"]

ILL_TYPED = "field: not a text or number"
HUGE = 10**40  # Python refuses to write integers of more than 4300 digits


@dataclass(frozen=True)
class Block:
    """Columns of equal length. `places` says where each row stands: "products.csv:17".

    `folder` is that of the file, below what all files share. `ids` and `images`, when given, are what a
    source knows of the rows without any mapping: their ids, and columns of IMAGES such as path and offset.
    """

    columns: Mapping[str, pa.Array]
    places: pa.Array
    folder: str = ""
    ids: pa.Array | None = None
    images: Mapping[str, pa.Array] = field(default_factory=dict)
    skipped: Counter[str] = field(default_factory=Counter)

    def __len__(self) -> int:
        return len(self.places)

    def column(self, name: str) -> pa.Array | None:
        """The column, or the field of a struct or of JSON text for a dotted name; None when there is none."""
        top = path_in(name, self.columns)
        if top is None:
            return None
        column = plain(self.columns[top])
        for inner in name[len(top) :].split(".")[1:]:
            found = _field(column, inner)
            if found is None:
                return None
            column = plain(found)
        return column

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Mapping[str, Any]],
        names: Iterable[str],
        places: pa.Array,
        skipped: Counter[str],
        **known: Any,
    ) -> Block:
        """A block of JSON-like rows; `names` are the (dotted) columns somebody will ask for.

        What was counted in `skipped` so far becomes the block's.
        """
        columns = {name: column_of(_values(rows, name), skipped) for name in names}
        drained = Counter(skipped)
        skipped.clear()
        return cls(columns, places, skipped=drained, **known)


def row_places(file: str, numbers: Sequence[int]) -> pa.Array:
    """Where rows of a file stand."""
    return pc.binary_join_element_wise(file, pa.array(numbers, pa.int64()).cast(pa.string()), ":")


def path_in(name: str, names: Iterable[str]) -> str | None:
    """Which of the names a (dotted) column begins with: itself, else the longest one."""
    there = names if isinstance(names, Mapping) else set(names)
    if name in there:
        return name
    parts = name.split(".")
    heads = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((head for head in heads if head in there), None)


def plain(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """The column as one array without dictionaries, extension types, views or 64-bit offsets at its top."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks)
    if isinstance(column.type, pa.BaseExtensionType):
        return _without_extension(column)
    if pa.types.is_dictionary(column.type):
        return plain(column.dictionary_decode())
    if pa.types.is_run_end_encoded(column.type):
        return plain(pc.run_end_decode(column))
    if _is_view_of_lists(column.type):  # a cast may give lengths below zero where lists are null
        return relisted(column, pc.list_flatten(column))
    if simple := _simple_type(column.type):
        return column.cast(simple)
    return column


def _without_extension(column: pa.Array) -> pa.Array:
    if isinstance(column.type, pa.UuidType):
        return pa.array([None if one is None else str(one) for one in column.to_pylist()], pa.string())
    return plain(column.storage)


def _is_view_of_lists(kind: pa.DataType) -> bool:
    return bool(pa.types.is_list_view(kind) or pa.types.is_large_list_view(kind))


def column_of(values: Sequence[Any], wrong: Counter[str]) -> pa.Array:
    """JSON-like values as one column, the same for a value whatever stands beside it.

    Numbers among texts are written out and a text among lists becomes a list of one. Objects and booleans
    become null and are added to `wrong`.
    """
    with suppress(pa.ArrowException, UnicodeEncodeError):  # all texts and nulls
        return pa.array(values, pa.string())
    if any(isinstance(value, list) for value in values):
        lists = [None if value is None else _written_list(value, wrong) for value in values]
        return pa.array(lists, pa.list_(pa.string()))
    return pa.array([_written(value, wrong) for value in values], pa.string())


def written_float(value: float) -> str | None:
    """A number as a reader would write it, without the .0 of a whole one."""
    if not math.isfinite(value):
        return None
    return str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value).removesuffix(".0")


def _written(value: Any, wrong: Counter[str]) -> str | None:
    if isinstance(value, str):
        return value if value.isascii() else _without_surrogates(value)
    if value is None:
        return None
    if isinstance(value, float):
        return written_float(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < HUGE:
        return str(value)
    wrong[ILL_TYPED] += 1
    return None


def _without_surrogates(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _written_list(value: Any, wrong: Counter[str]) -> list[str | None]:
    if not isinstance(value, list):
        return [_written(value, wrong)]
    return [text for inner in value for text in _written_list(inner, wrong)]


def _values(rows: Sequence[Mapping[str, Any]], name: str) -> list[Any]:
    if "." not in name:
        return [row.get(name) for row in rows]
    return [_value(row, name) for row in rows]


def _value(row: Mapping[str, Any], name: str) -> Any:
    if name in row:
        return row.get(name)
    top = path_in(name, row)
    if top is None:
        return None
    value: Any = row[top]
    for inner in name[len(top) :].split(".")[1:]:
        value = _inner(value, inner)
    return value


def _inner(value: Any, name: str) -> Any:
    if isinstance(value, str):
        value = _parsed(value)
    if isinstance(value, list):
        return [found for one in value if (found := _inner(one, name)) is not None]
    return value.get(name) if isinstance(value, dict) else None


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _field(column: pa.Array, name: str) -> pa.Array | None:
    kind = column.type
    if pa.types.is_struct(kind):
        return pc.struct_field(column, name) if kind.get_field_index(name) >= 0 else None
    if pa.types.is_list(kind) and pa.types.is_struct(kind.value_type):
        values = _field(pc.list_flatten(column), name)
        return None if values is None else relisted(column, values)
    if pa.types.is_map(kind) and pa.types.is_string(kind.key_type):
        return pc.map_lookup(column, pa.scalar(name), "last")
    if pa.types.is_string(kind):
        return column_of([None if text is None else _inner(text, name) for text in column.to_pylist()], Counter())
    return None


def relisted(column: pa.Array, values: pa.Array) -> pa.Array:
    """Lists of the same lengths over other values; a missing list becomes an empty one."""
    lengths = pc.fill_null(pc.list_value_length(column), 0)
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths).cast(pa.int32())])
    return pa.ListArray.from_arrays(offsets, values)


def _simple_type(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        return pa.string()
    if types.is_large_binary(kind) or types.is_binary_view(kind) or types.is_fixed_size_binary(kind):
        return pa.binary()
    if types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(kind.value_type)
    return None
