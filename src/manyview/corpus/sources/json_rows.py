"""JSON rows: objects one a line, one after the other or in one array, as blocks of bounded size."""

from __future__ import annotations

import json
import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import IO, Any

from manyview.corpus.sources.block import Block, row_places
from manyview.corpus.sources.damage import until_damage
from manyview.corpus.sources.files import File, is_utf8, open_stream
from manyview.corpus.sources.json_arrays import json_values
from manyview.corpus.sources.lines import raw_lines, utf8_stream
from manyview.corpus.sources.table_rows import chunks

__all__ = ["json_blocks", "json_names", "json_row"]

SAMPLED_ROWS = 1000
NOT_AN_OBJECT = "row: not a JSON object"

Row = dict[str, Any]
Sized = tuple[int, Any]  # bytes or characters of a row, and its line or its value


def json_blocks(file: File, encoding: str, wanted: Sequence[str]) -> Iterator[Block]:
    """The rows of a file of JSON objects, counted from 0 with those that cannot be read."""
    skipped = Counter[str]()
    rows = until_damage(enumerate(_sized_rows(file, encoding, skipped)), file.path, skipped)
    for numbered in chunks(rows, lambda row: row[1][0]):
        found = [(number, row) for number, (_, raw) in numbered if (row := _row(raw, skipped)) is not None]
        yield _block(found, wanted, file.name, skipped)
    yield _block([], wanted, file.name, skipped)


def json_names(file: File, encoding: str) -> list[str]:
    """The names in the first rows, in order of appearance; those that are no text are left out."""
    readable = until_damage(_sized_rows(file, encoding, Counter()), file.path, Counter())
    rows = [row for _, raw in islice(readable, SAMPLED_ROWS) if (row := _row(raw, Counter())) is not None]
    return [name for name in dict.fromkeys(name for row in rows for name in row) if is_utf8(name)]


def json_row(line: bytes, skipped: Counter[str]) -> Row | None:
    """The object of a line, or None for a blank line and for a bad one, which is counted."""
    if not line.strip():
        return None
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError:
        skipped["row: not UTF-8"] += 1
    except (ValueError, RecursionError):
        skipped["row: not JSON"] += 1
    else:
        return _object(row, skipped)
    return None


def _sized_rows(file: File, encoding: str, skipped: Counter[str]) -> Iterator[Sized]:
    with open_stream(file.path) as raw:
        is_lines = _is_lines(utf8_stream(raw, encoding))
    if not is_lines:
        with open_stream(file.path) as raw:
            is_lines = not _begins_with_a_value(utf8_stream(raw, encoding))
    with open_stream(file.path) as raw:
        stream = utf8_stream(raw, encoding)
        if is_lines:
            yield from ((len(line), line) for line in raw_lines(stream, skipped))
        else:
            yield from json_values(stream)


def _is_lines(stream: IO[bytes]) -> bool:
    """Whether the first line that is not blank is a whole object, or damaged beyond recognition."""
    line = next((line.strip() for line in raw_lines(stream, Counter()) if line.strip()), b"")
    if line.startswith(b"["):
        return False
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return not line.startswith(b"{")
    return True


def _begins_with_a_value(stream: IO[bytes]) -> bool:
    """Whether a value of several lines, or an array, begins the file; otherwise its first line is damaged."""
    try:
        next(json_values(stream), None)
    except (ValueError, RecursionError):
        return False
    return True


def _row(raw: Any, skipped: Counter[str]) -> Row | None:
    return json_row(raw, skipped) if isinstance(raw, bytes) else _object(raw, skipped)


def _object(value: Any, skipped: Counter[str]) -> Row | None:
    if isinstance(value, dict):
        return value
    skipped[NOT_AN_OBJECT] += 1
    return None


def _block(
    rows: Sequence[tuple[int, Mapping[str, Any]]], wanted: Sequence[str], file: str, skipped: Counter[str]
) -> Block:
    places = row_places(file, [number for number, _ in rows])
    return Block.from_rows([row for _, row in rows], wanted, places, skipped, folder=posixpath.dirname(file))
