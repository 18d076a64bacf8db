"""Delimited: rows of CSV and TSV files, of which any line may be broken."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from manyview.corpus.sources.lines import MAX_LINE_BYTES, text_lines

__all__ = ["Dialect", "delimited_rows", "is_quoted_throughout", "named_separator", "sniffed_delimiter"]

UNCLOSED = "row: a quote that is never closed"
MAX_UNCLOSED = 16 << 20  # characters over several lines after which a quote counts as never closed
DELIMITERS = (",", "\t", ";", "|")
QUOTED = re.compile(r'"[^"]*"')
SEPARATOR_LINE = re.compile(r"sep=(.)\s*", re.IGNORECASE)  # the first line of what Excel exports


@dataclass(frozen=True)
class Dialect:
    """How cells are kept apart. Without a quote, a line break always ends a row.

    With `literal_quotes`, as in most TSV files, a quote is a character of the text unless a pair of them encloses a
    whole cell that holds no delimiter. Such a cell may hold line breaks if its row has as many cells as the first.
    """

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"
    literal_quotes: bool = False


def named_separator(line: str) -> str | None:
    """The delimiter that a first line `sep=;` names, None for any other line."""
    found = SEPARATOR_LINE.fullmatch(line)
    return found[1] if found else None


def sniffed_delimiter(heading: str) -> str:
    """The delimiter that stands most often outside quotes in a heading; a comma if none does."""
    bare = QUOTED.sub("", heading)
    return max(DELIMITERS, key=lambda mark: (bare.count(mark), -DELIMITERS.index(mark)))


def is_quoted_throughout(line: str, delimiter: str) -> bool:
    """Whether each cell of a line is in quotes, as a program leaves it that quotes every text."""
    return all(re.fullmatch(r'"[^"]*"', cell) for cell in line.strip("\r\n").split(delimiter))


def delimited_rows(stream: IO[bytes], dialect: Dialect, skipped: Counter[str]) -> Iterator[list[str]]:
    """The cells of each row that is not blank, the heading included.

    A quote that is still open at the end, or many lines on, or that closes within a word of a later line, spoils only
    the line it stands in: reading goes on with the next one. With `literal_quotes` it spoils nothing.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_LINE_BYTES))  # one limit for the process: only raised
    pending = _Pending(_without_separator_line(text_lines(stream, dialect.encoding, skipped)))
    width = 0
    while True:
        try:
            for row in _reader(pending, dialect):
                lines = pending.row
                doubtful = len(lines) > 1 or (dialect.literal_quotes and dialect.quote in lines[0])
                if doubtful and not _is_well_quoted(lines, dialect, width):
                    raise _Unclosed
                pending.taken()
                if row and (len(row) > 1 or row[0].strip()):
                    width = width or len(row)
                    yield row
            return
        except _Unclosed:
            if dialect.literal_quotes:
                row = pending.row[0].rstrip("\r\n").split(dialect.delimiter)
                width = width or len(row)
                yield row
            else:
                skipped[UNCLOSED] += 1
            pending.drop_first()
        except csv.Error:
            skipped["row: not readable as CSV"] += 1
            pending.taken()


def _without_separator_line(lines: Iterator[str]) -> Iterator[str]:
    first = next(lines, None)
    if first is not None and named_separator(first) is None:
        yield first
    yield from lines


def _is_well_quoted(lines: list[str], dialect: Dialect, width: int) -> bool:
    """Whether the quotes of a row that was read leniently are those of the format.

    `width` is the number of cells of the first row, or 0.
    """
    try:
        (row,) = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote, strict=True)
    except (csv.Error, ValueError):
        return False
    if not dialect.literal_quotes:
        return True
    return not any(dialect.delimiter in cell for cell in row) and (len(lines) == 1 or len(row) == (width or len(row)))


def _reader(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    if not dialect.quote:
        return csv.reader(lines, delimiter=dialect.delimiter, quotechar=None, quoting=csv.QUOTE_NONE)
    return csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)


class _Unclosed(Exception):
    """A row that does not end."""


class _Pending:
    """Lines for csv.reader that can be read again from the second line of an unfinished row."""

    def __init__(self, lines: Iterator[str]) -> None:
        self.lines = lines
        self.again: list[str] = []
        self.row: list[str] = []
        self.length = 0

    def __iter__(self) -> _Pending:
        return self

    def __next__(self) -> str:
        line = self.again.pop() if self.again else next(self.lines, None)
        if line is None:
            if self.row:
                raise _Unclosed
            raise StopIteration
        if self.row and self.length + len(line) > MAX_UNCLOSED:
            self.row.append(line)
            raise _Unclosed
        self.row.append(line)
        self.length += len(line)
        return line

    def taken(self) -> None:
        """The row is complete."""
        self.row.clear()
        self.length = 0

    def drop_first(self) -> None:
        """The first line of the row is given up, the others come again."""
        self.again.extend(reversed(self.row[1:]))
        self.taken()
