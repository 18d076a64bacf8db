"""Reading: the files of a click log in pieces, each in batches of raw columns."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.types as pt

from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.location import locate, open_parquet
from manyview.corpus.sources.delimited import sniffed_delimiter
from manyview.corpus.sources.encoding import check_encoding
from manyview.corpus.sources.lines import utf8_stream
from manyview.errors import UsageError

__all__ = ["Piece", "column_names", "log_files", "pieces", "read"]

BATCH_ROWS = 1 << 20
_BLOCK_BYTES = 32 << 20
_LINE_BYTES = 16 << 20
_SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_PACKED = (".gz", ".bz2", ".xz", ".zst")
_DAMAGED = "file: unreadable from some row on"


@dataclass(frozen=True)
class Piece:
    """What one process reads in one go: row groups of a Parquet file, or a whole file of another format."""

    file: str
    format: str
    delimiter: str = ","
    encoding: str = "utf-8"
    row_groups: tuple[int, ...] = ()


def log_files(log: ClickLog) -> list[str]:
    """The files of the log, sorted. Raises UsageError when a path leads to none."""
    found = set[str]()
    for path in log.paths:
        files = _expand(path)
        if not files:
            raise UsageError(f"{path} is no file of a click log, allowed: a file, a folder or a glob that matches some")
        found.update(files)
    return sorted(found)


def _expand(path: str) -> list[str]:
    place = locate(path)
    if any(mark in path for mark in "*?["):
        if isinstance(place, Path):
            whole = place.absolute()
            found = Path(whole.anchor).glob(str(whole.relative_to(whole.anchor)))
            return [str(file) for file in found if file.is_file()]
        return [place.fs.unstrip_protocol(file) for file in place.fs.glob(place.path)]
    if place.is_dir():
        return [str(file) for file in place.rglob("*") if file.is_file() and _format(str(file))]
    return [path] if place.is_file() else []


def _format(file: str) -> str | None:
    while file.endswith(_PACKED):
        file = file.rpartition(".")[0]
    return _SUFFIXES.get(Path(file).suffix.lower())


def pieces(log: ClickLog, skipped: Counter[str], piece_rows: int = BATCH_ROWS) -> list[Piece]:
    """The log in pieces of about `piece_rows` rows where the format allows.

    Raises UsageError for a format that nobody knows and for a column that is missing; a file that cannot be
    opened is counted in `skipped`.
    """
    found = list[Piece]()
    for file in log_files(log):
        form = _format_of(file, log)
        try:
            found += _parquet_pieces(file, log, piece_rows) if form == "parquet" else _text_pieces(file, form, log)
        except (pa.ArrowInvalid, OSError, EOFError):
            skipped["file: cannot be opened"] += 1
    return found


def column_names(log: ClickLog) -> list[str]:
    """The columns of the first file. Raises UsageError as `pieces` does, and what reading a damaged file raises."""
    file = log_files(log)[0]
    form = _format_of(file, log)
    if form != "parquet":
        return _text_names(file, form, log)[0]
    with open_parquet(locate(file)) as opened:
        return list(opened.schema_arrow.names)


def _format_of(file: str, log: ClickLog) -> str:
    form = _format(file) if log.format == "auto" else log.format
    if form is None:
        raise UsageError(f"{file} has none of the suffixes {', '.join(_SUFFIXES)}: say which format it has")
    return form


def _parquet_pieces(file: str, log: ClickLog, piece_rows: int) -> list[Piece]:
    with open_parquet(locate(file)) as opened:
        schema = opened.schema_arrow
        _check(file, log, schema.names)
        for name in log.columns.values():
            if pt.is_nested(schema.field(name).type):
                raise UsageError(
                    f"the column {name!r} of {file} holds {schema.field(name).type}, allowed: single values"
                )
        sizes = [opened.metadata.row_group(i).num_rows for i in range(opened.metadata.num_row_groups)]
    found, groups, rows = list[Piece](), list[int](), 0
    for group, size in enumerate(sizes):
        if groups and rows + size > piece_rows:
            found.append(Piece(file, "parquet", row_groups=tuple(groups)))
            groups, rows = [], 0
        groups.append(group)
        rows += size
    return [*found, Piece(file, "parquet", row_groups=tuple(groups))] if groups else found


def _text_pieces(file: str, form: str, log: ClickLog) -> list[Piece]:
    names, delimiter = _text_names(file, form, log)
    if names:
        _check(file, log, names)
    return [Piece(file, form, delimiter, log.encoding)]


def _text_names(file: str, form: str, log: ClickLog) -> tuple[list[str], str]:
    """The columns, none of an empty file, and the delimiter."""
    check_encoding(file, log.encoding, "encoding=ENCODING")
    with _opened(file, log.encoding) as stream:
        if form == "jsonl":
            objects = [_json_object(line) for line in islice(_lines(stream), 100)]
            return list(dict.fromkeys(key for row in objects if row is not None for key in row)), ","
        header = stream.readline(_LINE_BYTES).decode("utf-8", "replace").rstrip("\r\n")
    delimiter = "\t" if form == "tsv" else sniffed_delimiter(header)
    rows = [header.split("\t")] if form == "tsv" else csv.reader(io.StringIO(header), delimiter=delimiter)
    return [name for name in next(iter(rows), []) if name], delimiter


def _check(file: str, log: ClickLog, names: list[str]) -> None:
    for role, column in log.columns.items():
        if column not in names:
            optional = "" if role in ("query", "id") else f", or set {role} to null"
            shown = ", ".join(names[:20])
            raise UsageError(f"{file} has no column {column!r} but {shown}: name its column of {role}{optional}")


@contextmanager
def _opened(file: str, encoding: str) -> Iterator[IO[bytes]]:
    """The text in UTF-8, without a byte order mark."""
    import fsspec  # noqa: PLC0415  0.1 s that Parquet does not need

    with fsspec.open(file, "rb", compression="infer") as stream:
        yield utf8_stream(stream, encoding)


def read(piece: Piece, log: ClickLog, roles: Mapping[str, str], skipped: Counter[str]) -> Iterator[pa.RecordBatch]:
    """Batches with a column for each of `roles` (part -> name in the file), whatever its type."""
    readers = {"parquet": _read_parquet, "jsonl": _read_jsonl}
    reader = readers.get(piece.format, _read_csv)
    try:
        yield from reader(piece, roles, skipped)
    except (pa.ArrowInvalid, OSError, EOFError):
        skipped[_DAMAGED] += 1


def _read_parquet(piece: Piece, roles: Mapping[str, str], skipped: Counter[str]) -> Iterator[pa.RecordBatch]:
    coded = [roles[role] for role in ("query", "id") if role in roles]
    with open_parquet(locate(piece.file), read_dictionary=coded) as opened:
        for batch in opened.iter_batches(BATCH_ROWS, list(piece.row_groups), list(roles.values()), use_threads=False):
            yield _by_role(batch, roles)


def _by_role(batch: pa.RecordBatch, roles: Mapping[str, str]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([batch.column(name) for name in roles.values()], names=list(roles))


def _read_csv(piece: Piece, roles: Mapping[str, str], skipped: Counter[str]) -> Iterator[pa.RecordBatch]:
    def wrong(row: pacsv.InvalidRow) -> str:
        skipped["row: wrong number of columns"] += 1
        return "skip"

    tabs = piece.format == "tsv"
    parse = pacsv.ParseOptions(
        delimiter=piece.delimiter,
        quote_char=False if tabs else '"',
        newlines_in_values=not tabs,
        invalid_row_handler=wrong,
    )
    convert = pacsv.ConvertOptions(
        column_types=dict.fromkeys(roles.values(), pa.binary()),
        include_columns=list(roles.values()),
        null_values=[""],
        strings_can_be_null=True,
        check_utf8=False,
    )
    options = pacsv.ReadOptions(use_threads=False, block_size=_BLOCK_BYTES)
    with _opened(piece.file, piece.encoding) as stream:
        if not stream.peek(1):  # type: ignore[attr-defined]
            return
        for batch in pacsv.open_csv(stream, options, parse, convert):
            yield _by_role(batch, roles)


def _read_jsonl(piece: Piece, roles: Mapping[str, str], skipped: Counter[str]) -> Iterator[pa.RecordBatch]:
    with _opened(piece.file, piece.encoding) as stream:
        lines = _lines(stream)
        while some := list(islice(lines, BATCH_ROWS // 8)):
            rows = [row for row in map(_json_object, some) if row is not None]
            skipped["row: not a JSON object"] += len(some) - len(rows)
            columns = [pa.array([_scalar(row.get(name)) for row in rows], pa.binary()) for name in roles.values()]
            yield pa.RecordBatch.from_arrays(columns, names=list(roles))


def _lines(stream: IO[bytes]) -> Iterator[bytes | None]:
    """Lines that hold something; None for one that is too long."""
    while line := stream.readline(_LINE_BYTES):
        if len(line) == _LINE_BYTES and not line.endswith(b"\n"):
            while (rest := stream.readline(_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield None
        elif line.strip():
            yield line


def _json_object(line: bytes | None) -> dict[str, Any] | None:
    try:
        row = json.loads(line or b"")
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _scalar(value: Any) -> bytes | None:
    """What JSON holds as a CSV file would; lists and objects are written out, and fail where a number is meant."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return b"1" if value else b"0"
    written = value if isinstance(value, str) else json.dumps(value)
    return written.encode("utf-8", "surrogatepass")
