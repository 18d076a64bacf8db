"""Lines: a text file line by line, in bounded memory whatever the file holds."""

from __future__ import annotations

import codecs
import io
from collections import Counter
from collections.abc import Iterator
from typing import IO

__all__ = ["BOMS", "BROKEN", "MAX_LINE_BYTES", "raw_lines", "text_lines", "utf8_stream"]

MAX_LINE_BYTES = 64 << 20
TOO_LONG = "row: longer than 64 MB"
CHUNK = 1 << 20
MARKED = "manyview-marked"
BROKEN = "\udcff"  # a lone surrogate: in no text, and not to be encoded
BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))


def raw_lines(stream: IO[bytes], skipped: Counter[str]) -> Iterator[bytes]:
    """The lines without a byte order mark, each with its line break; one over MAX_LINE_BYTES is counted."""
    buffered = io.BufferedReader(stream, CHUNK) if isinstance(stream, io.RawIOBase) else stream
    first = True
    while line := buffered.readline(MAX_LINE_BYTES):
        if len(line) >= MAX_LINE_BYTES and not line.endswith(b"\n"):
            skipped[TOO_LONG] += 1
            while (rest := buffered.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            continue
        yield line.removeprefix(codecs.BOM_UTF8) if first else line
        first = False


def text_lines(stream: IO[bytes], encoding: str, skipped: Counter[str]) -> Iterator[str]:
    """The lines as text, broken at LF, CR or CRLF; bytes that are no text become BROKEN.

    A byte order mark is believed before `encoding`.
    """
    text = _as_text(*_without_mark(stream, encoding))
    while line := text.readline(MAX_LINE_BYTES):
        if len(line) >= MAX_LINE_BYTES and line[-1] not in "\r\n":
            skipped[TOO_LONG] += 1
            while (rest := text.readline(MAX_LINE_BYTES)) and rest[-1] not in "\r\n":
                pass
            continue
        yield line


def utf8_stream(stream: IO[bytes], encoding: str) -> IO[bytes]:
    """The text without a byte order mark, in UTF-8; bytes that are no text become some that are no UTF-8.

    A byte order mark is believed before `encoding`.
    """
    rest, encoding = _without_mark(stream, encoding)
    if codecs.lookup(encoding).name == "utf-8":
        return rest
    return io.BufferedReader(_Encoded(_as_text(rest, encoding)), CHUNK)


def _without_mark(stream: IO[bytes], encoding: str) -> tuple[io.BufferedReader, str]:
    """What stands behind a byte order mark, if there is one, and the encoding that it tells."""
    head = stream.read(len(codecs.BOM_UTF8))
    for mark, marked in BOMS:
        if head.startswith(mark):
            head, encoding = head[len(mark) :], marked
            break
    return io.BufferedReader(_Rejoined(head, stream), CHUNK), encoding


def _as_text(stream: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    codecs.register_error(MARKED, lambda error: (BROKEN, error.end))  # type: ignore[attr-defined]
    return io.TextIOWrapper(stream, encoding, errors=MARKED, newline="")


class _Encoded(io.RawIOBase):
    """A text as UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text = text
        self.encoded = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if not self.encoded:
            self.encoded = self.text.read(CHUNK).encode("utf-8", "surrogatepass")
        data, self.encoded = self.encoded[: len(buffer)], self.encoded[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


class _Rejoined(io.RawIOBase):
    """A stream whose beginning was read already."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self.head, self.rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self.head:
            data, self.head = self.head[: len(buffer)], self.head[len(buffer) :]
        else:  # what there is at once: the rest of a cut file cannot be had
            data = getattr(self.rest, "read1", self.rest.read)(len(buffer))
        buffer[: len(data)] = data
        return len(data)
