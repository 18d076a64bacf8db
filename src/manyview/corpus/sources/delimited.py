"""Delimited: rows of CSV and TSV files, of which any line may be broken."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from manyview.corpus.sources.lines import MAX_LINE_BYTES, text_lines

__all__ = ["Dialect", "delimited_rows", "sniffed_delimiter"]

UNCLOSED = "row: a quote that is never closed"
MAX_UNCLOSED = 16 << 20  # characters over several lines after which a quote counts as never closed
DELIMITERS = (",", "\t", ";", "|")


@dataclass(frozen=True)
class Dialect:
    """How cells are kept apart. Without a quote, a line break always ends a row."""

    delimiter: str = ","
    quote: str = '"'
    encoding: str = "utf-8"


def sniffed_delimiter(heading: str) -> str:
    """The delimiter that stands most often in a heading; a comma if none does."""
    return max(DELIMITERS, key=lambda mark: (heading.count(mark), -DELIMITERS.index(mark)))


def delimited_rows(stream: IO[bytes], dialect: Dialect, skipped: Counter[str]) -> Iterator[list[str]]:
    """The cells of each row that is not blank, the heading included.

    A quote that is still open at the end, or many lines on, spoils only the line it stands in: reading goes
    on with the next one.
    """
    csv.field_size_limit(max(csv.field_size_limit(), 2 * MAX_LINE_BYTES))  # one limit for the process: only raised
    pending = _Pending(text_lines(stream, dialect.encoding, skipped))
    while True:
        try:
            for row in _reader(pending, dialect):
                pending.taken()
                if row and (len(row) > 1 or row[0].strip()):
                    yield row
            return
        except _Unclosed:
            skipped[UNCLOSED] += 1
            pending.drop_first()
        except csv.Error:
            skipped["row: not readable as CSV"] += 1
            pending.taken()


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
