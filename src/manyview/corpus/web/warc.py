"""WARC: the pages of a crawl archive, and the images it holds; damage costs the record, not the archive."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from manyview.corpus.fetch.sniff import SNIFFED_BYTES, image_type
from manyview.corpus.location import locate
from manyview.corpus.web.address import absolute
from manyview.corpus.web.http_body import unpacked
from manyview.corpus.web.multipart import first_shown

__all__ = ["Response", "responses"]

_WANTED = (WarcRecordType.response, WarcRecordType.resource)
_PAGES = ("text/html", "application/xhtml+xml")
_UNKNOWN = ("application/octet-stream", "binary/octet-stream", "application/unknown", "unknown/unknown", "*/*", "image")
_HEADERS = ("Content-Type", "Transfer-Encoding", "Content-Encoding")
_NO_HEADERS = "page: HTTP headers cannot be read"
REVISIT = "archive: revisit that names no original"
_REDIRECTIONS = (301, 302, 303, 307, 308)
NEITHER = "response: neither page nor image"
_MOST_REPAIRS = 1_000
_WINDOW = 1 << 20
_STARTS = (b"\x1f\x8b\x08", b"WARC/1.")
_OVERLAP = 6
_DAMAGED = "archive: damaged or truncated"
_SHORT = "the record is shorter than its header says"


@dataclass(frozen=True)
class _Said:
    """What the headers of a response say."""

    content_type: str
    transfer: str = ""
    encoding: str = ""
    charset: str | None = None

    @property
    def kind(self) -> str:
        """page, image, multipart, unknown (a type that says nothing) or empty."""
        media = re.split("[;,]", self.content_type, maxsplit=1)[0].strip().lower()
        if media in _PAGES or not media:
            return "page"
        if media.startswith("image/"):
            return "" if "svg" in media else "image"
        return "multipart" if media.startswith("multipart/") else "unknown" if media in _UNKNOWN else ""

    @property
    def packed(self) -> bool:
        """Whether the first bytes may be those of a packing."""
        return bool(self.transfer or self.encoding)


@dataclass(frozen=True)
class Response:
    """What stands at byte `place` of the file: a page, an image, a reference to another address, or only the reason why
    it is none.
    """

    place: int
    url: str = ""
    kind: str = ""
    charset: str | None = None
    body: bytes = b""
    skipped: str = ""
    target: str = ""  # where a redirection leads, or what a revisit is a copy of


def responses(path: str, max_page_bytes: int, max_image_bytes: int) -> Iterator[Response]:
    """The responses of an archive, plain or gzip (also zstd or LZ4), in order; `kind` is "page" or "image".

    After damage, reading goes on at the next place that looks like a record. A body is never held beyond the
    limit of its kind: what is longer comes as a reason. `max_image_bytes` of 0 leaves images out.
    """
    limits = {"page": max_page_bytes, "image": max_image_bytes}
    with locate(path).open("rb") as file:
        start, found = 0, False
        for _ in range(_MOST_REPAIRS):
            damaged = None
            for response in _until_damage(file, start, limits):
                found = True
                damaged = response.place if response.skipped == _DAMAGED else None
                yield response
            following = None if damaged is None else _next_start(file, damaged + 1)
            if following is None:
                break
            start = following
        else:
            yield Response(start, skipped="archive: too much damage, the rest was left")
        if not found and file.seek(0) == 0 and file.read(1):
            yield Response(0, skipped="archive: no response in it")


def _until_damage(file: IO[bytes], start: int, limits: dict[str, int]) -> Iterator[Response]:
    """Responses from `start` on, up to the end of the file or to one that tells where the damage is."""
    file.seek(start)
    records = ArchiveIterator(_Stream(file, start), parse_http=False)
    place = start
    while True:
        try:
            record = next(records)
            place = start + record.stream_pos
            if record.record_type == WarcRecordType.revisit:
                response = _revisit(record, place)
            elif record.record_type in _WANTED:
                response = _response(record, place, limits)
            else:
                _check_type(record)
                continue
        except StopIteration:
            return
        except (OSError, ValueError, EOFError):
            yield Response(place, skipped=_DAMAGED)
            return
        yield response


def _response(record: WarcRecord, place: int, limits: dict[str, int]) -> Response:
    """Raises OSError when the record ends before its length."""
    said = _Said(record.headers.get("Content-Type") or "")
    if record.record_type == WarcRecordType.response:
        try:
            record.parse_http()
        except (OSError, ValueError):
            return Response(place, skipped=_NO_HEADERS)
        http = record.http_headers
        status = http.status_code if http is not None else None
        if status != 200:
            return _other_status(record, place, status)
        content_type, transfer, encoding = (http.get(name) or "" for name in _HEADERS)
        said = _Said(content_type, transfer, encoding, record.http_charset)
    head = record.reader.read(SNIFFED_BYTES)
    kind = _kind(said, head)
    if not limits.get(kind):
        return _left_out(record, place, NEITHER, len(head))
    url = _address(record, "WARC-Target-URI")
    return _unpacked(record, head, Response(place, url, kind, said.charset), said, limits)


def _unpacked(record: WarcRecord, head: bytes, response: Response, said: _Said, limits: dict[str, int]) -> Response:
    """The response with its content, which may turn out to be of another kind than its headers say."""
    place, kind = response.place, response.kind
    limit = limits[kind]
    body = head + record.reader.read(limit + 1 - len(head))
    if len(body) < min(record.content_length, limit):
        raise OSError(_SHORT)
    content = unpacked(body, said.transfer, said.encoding, limit) if len(body) <= limit else body
    if content is None:
        return Response(place, skipped=f"{kind}: packed in a way that cannot be read")
    if len(content) > limit:
        return Response(place, skipped=f"{kind}: too many bytes")
    charset = response.charset
    if said.kind == "multipart":
        kind, charset, content = first_shown(said.content_type, content)
    if kind != "image" or said.kind == "unknown":
        kind = "image" if image_type(content) else "page" if kind == "page" else ""
    if not limits.get(kind):
        return Response(place, skipped=NEITHER)
    return Response(place, response.url, kind, charset, content)


def _other_status(record: WarcRecord, place: int, status: int | None) -> Response:
    """A redirection says where to go on, other answers only that there is nothing."""
    found = _left_out(record, place, "response: status is not 200" if status else _NO_HEADERS)
    if status not in _REDIRECTIONS:
        return found
    url = _address(record, "WARC-Target-URI")
    location = (record.http_headers.get("Location") or "").strip()
    return replace(found, url=url, target=absolute(url, location) if location else "")


def _revisit(record: WarcRecord, place: int) -> Response:
    """A record that says only which other one it equals (WARC 1.1, 6.7); without that it is left out."""
    url, target = _address(record, "WARC-Target-URI"), _address(record, "WARC-Refers-To-Target-URI")
    refers = target or record.headers.get("WARC-Refers-To-Date")
    found = _left_out(record, place, "" if refers else REVISIT)
    return replace(found, url=url, target=target or url) if refers else found


def _address(record: WarcRecord, name: str) -> str:
    return (record.headers.get(name) or "").strip("<> ")


def _check_type(record: WarcRecord) -> None:
    """Raises OSError when the record's own headers were cut off before they said what it is."""
    if record.headers.get("WARC-Type") is None:
        raise OSError(_SHORT)


def _left_out(record: WarcRecord, place: int, reason: str, already_read: int = 0) -> Response:
    """Raises OSError when the record ends before its length: then its headers may not have been all of them."""
    if already_read + record.consume() < record.content_length:
        raise OSError(_SHORT)
    return Response(place, skipped=reason)


def _kind(said: _Said, head: bytes) -> str:
    """Whether to read on as a page or as an image; empty for neither.

    A page that names no type is taken for HTML: parsing what is not finds no images. Images are known by their first
    bytes whatever their type is called, as browsers know them; those that may be packed are read if their type says
    nothing.
    """
    if image_type(head):
        return "image"
    return {"multipart": "page", "unknown": "image" if said.packed else ""}.get(said.kind, said.kind)


def _next_start(file: IO[bytes], begin: int) -> int | None:
    """The next place from `begin` on where a gzip member or a record could begin."""
    file.seek(begin)
    kept = b""
    while piece := file.read(_WINDOW):
        window = kept + piece
        found = [at for of in _STARTS if (at := window.find(of)) >= 0]
        if found:
            return begin + min(found)
        kept = window[-_OVERLAP:]
        begin += len(window) - len(kept)
    return None


class _Stream:
    """A file from where it stands on, as a stream that begins at 0 and that its reader cannot close."""

    def __init__(self, file: IO[bytes], start: int) -> None:
        self._file, self._start = file, start

    def read(self, size: int = -1) -> bytes:
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset + self._start if whence == 0 else offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start

    def close(self) -> None:
        """The file belongs to who opened it."""
