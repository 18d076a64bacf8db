"""Table rows: the rows of CSV, TSV and Parquet files as blocks of bounded size."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus.location import locate, open_parquet
from manyview.corpus.sources.block import Block, path_in, row_places
from manyview.corpus.sources.class_labels import labelled_features, with_class_names
from manyview.corpus.sources.damage import until_damage
from manyview.corpus.sources.delimited import (
    Dialect,
    delimited_rows,
    is_quoted_throughout,
    named_separator,
    sniffed_delimiter,
)
from manyview.corpus.sources.files import File, open_stream, suffix_of
from manyview.corpus.sources.lines import BROKEN, text_lines

__all__ = [
    "MAX_BLOCK_BYTES",
    "MAX_BLOCK_ROWS",
    "arrow_block",
    "chunks",
    "delimited_blocks",
    "dialect_of",
    "group_bytes",
    "heading_of",
    "opened_parquet",
    "parquet_blocks",
    "parquet_schema",
]

MAX_BLOCK_ROWS = 1 << 14
MAX_BLOCK_BYTES = 16 << 20


def opened_parquet(file: File) -> AbstractContextManager[pq.ParquetFile]:
    """The file, read page by page rather than by whole columns."""
    opened: AbstractContextManager[pq.ParquetFile] = open_parquet(
        locate(file.path), pre_buffer=False, buffer_size=1 << 20
    )
    return opened


def parquet_schema(file: File) -> pa.Schema:
    """The columns, with what the writer noted about them."""
    with opened_parquet(file) as opened:
        return opened.schema_arrow


def group_bytes(file: File) -> list[int]:
    """The uncompressed size of each row group."""
    with opened_parquet(file) as opened:
        groups = map(opened.metadata.row_group, range(opened.metadata.num_row_groups))
        return [group.total_byte_size for group in groups]


def parquet_blocks(file: File, groups: Sequence[int] | None, wanted: Sequence[str]) -> Iterator[Block]:
    """Some row groups, all by default, with the columns that the wanted (dotted) names begin with."""
    with opened_parquet(file) as opened:
        names = opened.schema_arrow.names
        columns = list(dict.fromkeys(top for name in wanted if (top := path_in(name, names)) is not None))
        features, before = labelled_features(opened.schema_arrow), _rows_before(opened.metadata)
        for group in range(opened.metadata.num_row_groups) if groups is None else groups:
            first = before[group]
            size = _rows_at_once(opened.metadata.row_group(group), columns)
            for batch in opened.iter_batches(size, [group], columns, use_threads=False):
                yield arrow_block(batch, file.name, first, features)
                first += batch.num_rows


def arrow_block(batch: pa.RecordBatch, file: str, first: int, features: Mapping[str, Any]) -> Block:
    """Rows that stand in Arrow already, the first of them at `first`; class numbers of `features` become names."""
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    block = Block(columns, row_places(file, range(first, first + batch.num_rows)), posixpath.dirname(file))
    return with_class_names(block, features)


def delimited_blocks(file: File, dialect: Dialect, columns: Sequence[str], wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a CSV file; the first names the columns unless `columns` does.

    Rows are counted from 0 without the heading, broken ones included.
    """
    skipped = Counter[str]()
    with open_stream(file.path) as stream:
        rows = delimited_rows(stream, dialect, skipped)
        names = list(columns) or [name.strip() for name in next(rows, [])]
        kept = [path_in(name, names) for name in wanted]
        places = {name: names.index(name) for name in kept if name is not None}
        for numbered in chunks(until_damage(enumerate(rows), file.path, skipped), _cells_size):
            fitting = [(number, row) for number, row in numbered if _fits(row, len(names), skipped)]
            yield _cells_block(fitting, places, file.name, skipped)
    yield _cells_block([], places, file.name, skipped)


def chunks(items: Iterable[Any], size_of: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Consecutive items, as many as MAX_BLOCK_ROWS and MAX_BLOCK_BYTES allow, give or take one."""
    chunk: list[Any] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += size_of(item)
        if len(chunk) >= MAX_BLOCK_ROWS or size >= MAX_BLOCK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def dialect_of(file: File, delimiter: str | None, quote: str | None, encoding: str) -> Dialect:
    """How the file keeps its cells apart: as told, else as its suffix and its first line show.

    Where tabs do and nobody names a quote, quotes are characters of the text unless the first row is quoted throughout.
    """
    with open_stream(file.path) as stream:
        lines = (line for line in text_lines(stream, encoding, Counter()) if line.strip())
        first = next(lines, "")
        separator = named_separator(first)
        heading = first if separator is None else next(lines, "")
    if delimiter is None:
        is_tsv = suffix_of(file.path) == ".tsv" and "\t" in heading
        delimiter = separator or ("\t" if is_tsv else sniffed_delimiter(heading))
    if quote is not None:
        return Dialect(delimiter, quote, encoding)
    literal = delimiter == "\t" and not is_quoted_throughout(heading, delimiter)
    return Dialect(delimiter, encoding=encoding, literal_quotes=literal)


def heading_of(file: File, dialect: Dialect) -> list[str]:
    """The names in the first row."""
    with open_stream(file.path) as stream:
        return [name.strip() for name in next(delimited_rows(stream, dialect, Counter()), [])]


def _cells_size(numbered: tuple[int, list[str]]) -> int:
    return sum(map(len, numbered[1]))


def _fits(row: list[str], cells: int, skipped: Counter[str]) -> bool:
    """Whether a row has the cells of the heading; more of them may follow when they are empty."""
    if len(row) < cells:
        skipped["row: fewer cells than the heading"] += 1
    elif len(row) > cells and any(map(str.strip, row[cells:])):
        skipped["row: more cells than the heading"] += 1
    elif any(BROKEN in cell for cell in row if not cell.isascii()):
        skipped["row: not UTF-8"] += 1
    else:
        return True
    return False


def _cells_block(
    rows: Sequence[tuple[int, list[str]]], cells: Mapping[str, int], file: str, skipped: Counter[str]
) -> Block:
    columns = {name: pa.array([row[place] for _, row in rows], pa.string()) for name, place in cells.items()}
    drained = Counter(skipped)
    skipped.clear()
    places = row_places(file, [number for number, _ in rows])
    return Block(columns, places, posixpath.dirname(file), skipped=drained)


def _rows_before(metadata: pq.FileMetaData) -> list[int]:
    counts = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
    return [sum(counts[:group]) for group in range(len(counts))]


def _rows_at_once(group: pq.RowGroupMetaData, columns: Sequence[str]) -> int:
    chunks_ = [group.column(index) for index in range(group.num_columns)]
    size = sum(one.total_uncompressed_size for one in chunks_ if one.path_in_schema.split(".")[0] in columns)
    fitting: int = MAX_BLOCK_BYTES * group.num_rows // max(size, 1)
    return max(1, min(MAX_BLOCK_ROWS, fitting))
