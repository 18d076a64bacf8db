"""Tar: the members of an archive by walking its headers, so that images stay where they are.

POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU headers, read as Python's tarfile reads them.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from struct import Struct
from typing import IO, NamedTuple, Protocol
from zlib import adler32

__all__ = ["Archive", "LocalArchive", "Member", "StreamedArchive", "members"]

BLOCK = 512
ZEROS = bytes(BLOCK)
HEADER = Struct("100s24x12s12x8sc100x6s82x155s12x")  # name, size, checksum, type, magic, prefix
FILES = (b"0", b"\0", b"7")
LINKS = (b"1", b"2")
FOLDER, SPARSE = b"5", b"S"
WITHOUT_DATA = (*LINKS, b"3", b"4", FOLDER, b"6")  # whatever size their header tells
LONG_NAME, LONG_LINK, PAX, PAX_SOLARIS, PAX_GLOBAL = b"L", b"K", b"x", b"X", b"g"
ABOUT_THE_NEXT = (LONG_NAME, LONG_LINK, PAX, PAX_SOLARIS, PAX_GLOBAL)
POSIX = b"ustar\0"
SPACES = 8 * 32  # the sum of the checksum's own field while it is reckoned
MAX_HEADER_BYTES = 1 << 20  # of a pax or long name header: a longer one is no name
PAX_RECORD = re.compile(rb"(\d{1,7}) ([^=]+)=")
TRUNCATED = "tar: truncated"
DAMAGED = "tar: damaged header"
SKIP_BYTES = 1 << 20
WINDOW = 4096  # a header, the sidecars after it and the next header are one read


class Member(NamedTuple):
    """A file in an archive: its bytes begin at `offset` and are `length` long."""

    name: str
    offset: int
    length: int


class Archive(Protocol):
    """The bytes of an archive, asked for in rising order."""

    size: int | None  # None until it is known

    def take(self, offset: int, length: int) -> bytes:
        """That many bytes, or fewer at the end."""


class LocalArchive:
    """An archive on this machine, of which only what is asked for is read, and what follows it closely."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file.fileno()
        self.size: int | None = os.fstat(self.file).st_size
        self.begin, self.window = 0, b""

    def take(self, offset: int, length: int) -> bytes:
        """A slice."""
        start = offset - self.begin
        if start < 0 or start + length > len(self.window):
            if length > WINDOW:
                return os.pread(self.file, length, offset)
            self.begin, start = offset, 0
            self.window = os.pread(self.file, WINDOW, offset)
        return self.window[start : start + length]


class StreamedArchive:
    """An archive that comes over a network or out of a decompressor: what is not asked for is read and dropped."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.position = stream, 0
        self.size: int | None = None

    def take(self, offset: int, length: int) -> bytes:
        """What follows; bytes before `offset` are gone."""
        while self.position < offset and self._read(min(SKIP_BYTES, offset - self.position)):
            pass
        end = offset + length
        pieces = []
        while self.position < end and (piece := self._read(end - self.position)):
            pieces.append(piece)
        return b"".join(pieces)

    def _read(self, length: int) -> bytes:
        piece = self.stream.read(length)
        self.position += len(piece)
        if not piece:
            self.size = self.position
        return piece


def members(archive: Archive, skipped: Counter[str]) -> Iterator[Member]:
    """The regular files of an archive in order, up to its end or to the first damage.

    Links, devices, sparse files and names that lead out of the archive are counted, folders are not.
    The caller may `take` a member's bytes before it asks for the next.
    """
    position = end = 0
    told = _Told()
    while (header := archive.take(position, BLOCK)) != ZEROS:
        if len(header) < BLOCK:
            skipped[TRUNCATED] += bool(header) or _ends_before(archive, end)
            return
        found = _read(header)
        if found is None:
            skipped[DAMAGED] += 1
            return
        kind, length, short_name = found
        data = position + BLOCK
        if kind in ABOUT_THE_NEXT:
            end = data + length
            about = archive.take(data, length) if length <= MAX_HEADER_BYTES else b""
            if len(about) < length:
                skipped[DAMAGED if length > MAX_HEADER_BYTES else TRUNCATED] += 1
                return
            told.read(kind, about)
        else:
            name, length, sparse = told.of(short_name, length)
            data = _after_sparse_map(archive, header, data) if kind == SPARSE else data
            end = data + (0 if kind in WITHOUT_DATA else length)
            if _ends_before(archive, end):
                skipped[TRUNCATED] += 1
                return
            reason = _refused(kind, sparse, name)
            if reason is None and name is not None:
                yield Member(name, data, length)
            elif reason:
                skipped[reason] += 1
        position = end + -end % BLOCK


class _Told:
    """What pax and long name headers say about the next member, or about all."""

    def __init__(self) -> None:
        self.all: dict[bytes, bytes] = {}
        self.next: dict[bytes, bytes] = {}

    def read(self, kind: bytes, about: bytes) -> None:
        if kind == LONG_NAME:
            self.next[b"path"] = about.split(b"\0", 1)[0]
        elif kind == PAX_GLOBAL:
            self.all |= _pax_records(about)
        elif kind != LONG_LINK:
            self.next |= _pax_records(about)

    def of(self, short_name: bytes, length: int) -> tuple[str | None, int, bool]:
        """Name (None unless it is UTF-8), length and whether it is sparse, of the member of such a header."""
        if not self.next and not self.all:
            return _decoded(short_name), length, False
        told = {**self.all, **self.next}
        self.next = {}
        size = told.get(b"size", b"")
        length = int(size) if size.isdigit() and len(size) < 20 else length
        sparse = any(key.startswith(b"GNU.sparse") for key in told)
        return _decoded(told.get(b"path") or short_name), length, sparse


def _read(header: bytes) -> tuple[bytes, int, bytes] | None:
    """Type, length and name as far as the header holds it; None where it is damaged."""
    name, size, checksum, kind, magic, prefix = HEADER.unpack(header)
    length = _size(size)
    if length is None or not _checksum_holds(header, checksum):
        return None
    name = name.partition(b"\0")[0]
    if prefix[0] and magic == POSIX:
        name = prefix.partition(b"\0")[0] + b"/" + name
    return kind, length, name


def _decoded(name: bytes) -> str | None:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return None


def _refused(kind: bytes, sparse: bool, name: str | None) -> str | None:
    """Why a member is left out; empty for what needs no word."""
    reason = None
    if kind == FOLDER or (kind == b"\0" and name is not None and name.endswith("/")):
        reason = ""
    elif kind in LINKS:
        reason = "tar: link"
    elif kind == SPARSE or sparse:
        reason = "tar: sparse file"
    elif kind not in FILES:
        reason = "tar: neither file nor folder"
    elif name is None:
        reason = "tar: name that is not UTF-8"
    elif not name or "\0" in name or name[0] == "/" or (".." in name and ".." in name.split("/")):
        reason = "tar: name that leads out of the archive"
    return reason


def _ends_before(archive: Archive, end: int) -> bool:
    return archive.size is not None and end > archive.size


def _size(field: bytes) -> int | None:
    if field[0] & 0x80:  # GNU: a big-endian number
        return int.from_bytes(field[1:], "big") if field[0] == 0x80 else None
    return _octal(field)


def _octal(field: bytes) -> int | None:
    """As tarfile reads it: up to a NUL, spaces around."""
    try:
        number = int(field.partition(b"\0")[0] if field[-1] else field[:-1], 8)
    except ValueError:
        return _octal_of_others(field)
    return number if number >= 0 else None


def _octal_of_others(field: bytes) -> int | None:
    try:
        number = int(field.partition(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return None
    return number if number >= 0 else None


def _checksum_holds(header: bytes, checksum: bytes) -> bool:
    """The sum of the header's bytes with its own field as spaces; some old writers took them as signed."""
    told, unsigned = _octal(checksum), _sum(header) - sum(checksum) + SPACES
    if told == unsigned:
        return True
    signed = sum(byte - 256 if byte > 127 else byte for byte in header[:148] + header[156:]) + SPACES
    return told == signed


def _sum(header: bytes) -> int:
    """Of the bytes: the low half of Adler-32 is one more than theirs modulo 65521, which 256 bytes do not reach."""
    return (adler32(header[:256]) & 0xFFFF) + (adler32(header[256:]) & 0xFFFF) - 2


def _pax_records(about: bytes) -> dict[bytes, bytes]:
    """`LENGTH KEY=VALUE\\n` one after the other, up to the first that is not so."""
    records, position = {}, 0
    while record := PAX_RECORD.match(about, position):
        end = position + int(record[1])
        if end <= record.end() or end > len(about) or about[end - 1] != 10:
            break
        records[record[2]] = about[record.end() : end - 1]
        position = end
    return records


def _after_sparse_map(archive: Archive, header: bytes, data: int) -> int:
    """Old GNU sparse files have more header blocks before their data, each saying whether another follows."""
    more = header[482:483]
    while more and more != b"\0":
        more = archive.take(data, BLOCK)[504:505]
        data += BLOCK
    return data
