"""Table: products, captions or a crawl's list in CSV, TSV, JSON, JSONL or Parquet."""

from __future__ import annotations

import codecs
import json
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Literal

import pyarrow as pa
from pydantic import Field

from manyview.corpus.sources.block import Block
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, read_or_none, until_damage
from manyview.corpus.sources.detect import completed
from manyview.corpus.sources.encoding import check_encoding
from manyview.corpus.sources.files import File, find_files, suffix_of
from manyview.corpus.sources.json_rows import json_blocks, json_names
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import RowMapping
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table_rows import (
    delimited_blocks,
    dialect_of,
    group_bytes,
    heading_of,
    parquet_blocks,
    parquet_schema,
)
from manyview.errors import UsageError

__all__ = ["SUFFIXES", "TableConfig", "TablePart", "TableSource", "complete_table", "first_row", "table_schema"]

TableFormat = Literal["csv", "jsonl", "parquet"]
FORMATS: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".pq")
PART_BYTES = 128 << 20
LOOKED_INTO = 256  # files whose footers are read at once: over a network each costs a request


class TableConfig(RowMapping):
    """Tables of one layout: a file, a folder, a glob, braces or several of these."""

    type: Literal["table"] = "table"
    path: str | tuple[str, ...] = Field(description="CSV, TSV, JSON, JSONL or Parquet files, here or scheme://")
    root: str | None = Field(
        default=None,
        description="folder that image paths are relative to and must stay inside; default: that of the table, "
        "and any path",
    )
    format: TableFormat | None = Field(
        default=None, description="what the files are, jsonl for any JSON; default: by their suffix"
    )
    delimiter: str | None = Field(
        default=None, description="between cells of CSV; default: as the heading shows", min_length=1, max_length=1
    )
    quote: str | None = Field(
        default=None,
        description="around cells with delimiters or line breaks, empty: none; default: a double quote, which between "
        "tabs must enclose a whole cell without a tab",
        max_length=1,
    )
    encoding: str = Field(default="utf-8", description="of text without a byte order mark; gb18030 for instance")
    heading: tuple[str, ...] = Field(default=(), description="names of the columns of CSV whose first row is data")


@dataclass(frozen=True)
class TablePart:
    """A file, or some row groups of a Parquet file."""

    config: TableConfig
    file: File
    groups: tuple[int, ...] | None = None

    @property
    def name(self) -> str:
        """The file, and the first of its row groups unless it is the whole file."""
        return self.file.name if self.groups is None else f"{self.file.name}#{self.groups[0]}"

    @property
    def version(self) -> str:
        """Of the file."""
        return self.file.version

    def read(self) -> Iterator[Batch]:
        """The rows as images and views. What cannot be read to its end is counted once."""
        places = Places(posixpath.dirname(self.file.path), self.config.root)
        skipped = Counter[str]()
        blocks = _blocks(self.config, self.file, self.groups, self.config.columns())
        for block in until_damage(blocks, self.file.path, skipped):
            yield mapped(block, self.config, places)
        if skipped:
            yield counted_batch(skipped)


@dataclass(frozen=True)
class TableSource:
    """The files of a table; Parquet files in pieces of about PART_BYTES."""

    config: TableConfig

    def parts(self) -> Sequence[TablePart]:
        """A part for each file or piece of one. Raises UsageError for missing files and columns."""
        files = find_files(self.config.path, SUFFIXES)
        config = complete_table(self.config, files)
        if len(files) > LOOKED_INTO:
            return [TablePart(config, file) for file in files]
        return [part for file in files for part in _pieces(config, file)]

    def completed(self) -> TableConfig:
        """The config with its columns guessed where it names none. Raises UsageError."""
        return complete_table(self.config, find_files(self.config.path, SUFFIXES))


def first_row(config: TableConfig, file: File) -> list[str]:
    """The cells of the first row of a CSV file, a heading or not; none if it cannot be read."""
    dialect = read_or_none(file.path, dialect_of, file, config.delimiter, config.quote, config.encoding)
    return [] if dialect is None else read_or_none(file.path, heading_of, file, dialect) or []


def complete_table(config: TableConfig, files: Sequence[File]) -> TableConfig:
    """The config with its columns guessed where it names none, and all those it names known to be there.

    In JSONL a field needs to be in one file, in other formats a column in each. Raises UsageError.
    """
    _check_encoding(config, files[:LOOKED_INTO])
    schemas: dict[str, pa.Schema] = {}
    fields: dict[str, pa.Field] = {}
    for file in files[:LOOKED_INTO]:
        schema = table_schema(config, file)
        if schema is not None and _format(config, file) == "jsonl":
            fields |= {field.name: field for field in schema}
        elif schema is not None:
            schemas[file.path] = schema
    if fields:
        schemas[next(file.path for file in files if _format(config, file) == "jsonl")] = pa.schema(fields.values())
    if not schemas:
        raise UsageError(f"{files[0].path} holds no rows that can be read as {_format(config, files[0])}")
    for path, schema in schemas.items():
        (file,) = (file for file in files if file.path == path)
        config = completed(config, schema, path, sample=partial(_first_block, config, file))
    return config


def _first_block(config: TableConfig, file: File, columns: Sequence[str]) -> Block | None:
    return next(until_damage(_blocks(config, file, None, columns), file.path, Counter()), None)


def table_schema(config: TableConfig, file: File) -> pa.Schema | None:
    """The columns of a file, or None for one that cannot be read or is empty."""
    kind = _format(config, file)
    if kind == "parquet":
        return read_or_none(file.path, parquet_schema, file)
    names = list(config.heading)
    if kind == "jsonl":
        names = read_or_none(file.path, json_names, file, config.encoding) or []
    elif not names:
        names = first_row(config, file)
    return pa.schema([(name, pa.string()) for name in names]) if names else None


def _blocks(config: TableConfig, file: File, groups: tuple[int, ...] | None, columns: Sequence[str]) -> Iterator[Block]:
    kind = _format(config, file)
    if kind == "parquet":
        yield from parquet_blocks(file, groups, columns)
    elif kind == "jsonl":
        yield from json_blocks(file, config.encoding, columns)
    else:
        dialect = dialect_of(file, config.delimiter, config.quote, config.encoding)
        yield from delimited_blocks(file, dialect, config.heading, columns)


def _check_encoding(config: TableConfig, files: Sequence[File]) -> None:
    try:
        codecs.lookup(config.encoding)
    except LookupError:
        raise UsageError(f"there is no encoding {config.encoding!r}: gb18030 or utf-8 for instance") from None
    for file in files:
        if (kind := _format(config, file)) != "parquet":
            shown = f"format: {kind}, " if config.format else ""
            path = json.dumps(file.path, ensure_ascii=False)
            setting = f"'sources=[{{type: table, path: {path}, {shown}encoding: ENCODING}}]'"
            check_encoding(file.path, config.encoding, setting)


def _format(config: TableConfig, file: File) -> TableFormat:
    known = config.format or FORMATS.get(suffix_of(file.path))
    if known is None:
        raise UsageError(
            f"{file.path} does not say what it is: give format: {', '.join(sorted(set(FORMATS.values())))}"
        )
    return known


def _pieces(config: TableConfig, file: File) -> list[TablePart]:
    if _format(config, file) != "parquet" or file.size <= PART_BYTES:
        return [TablePart(config, file)]
    sizes = read_or_none(file.path, group_bytes, file)
    if not sizes:
        return [TablePart(config, file)]
    pieces: dict[int, list[int]] = {}
    for group, before in enumerate(accumulate([0, *sizes[:-1]])):
        pieces.setdefault(before // PART_BYTES, []).append(group)
    return [TablePart(config, file, tuple(groups)) for groups in pieces.values()]
