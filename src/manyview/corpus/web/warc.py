"""WARC: the pages of a crawl archive, and the images it holds; damage costs the record, not the archive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import IO, Any, NamedTuple

from fastwarc.warc import ArchiveIterator, WarcRecord, WarcRecordType

from manyview.corpus.fetch.sniff import SNIFFED_BYTES, image_type
from manyview.corpus.location import locate
from manyview.corpus.web.address import absolute
from manyview.corpus.web.http_body import unpacked
from manyview.corpus.web.media_type import BodyKind, kind_of_type
from manyview.corpus.web.multipart import first_shown

__all__ = ["Response", "responses"]

_WANTED = (WarcRecordType.response, WarcRecordType.resource)
_READ_AS = {"page": "page", "multipart": "page", "image": "image", "unknown": "image"}
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


class _Packed(NamedTuple):
    """How a body is packed, and how many bytes of it are read."""

    transfer: str
    encoding: str
    limit: int


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
    limits = {"page": max_page_bytes, "image": max_image_bytes, "": 0}
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
    headers, charset = record.headers, None
    if record.record_type == WarcRecordType.response:
        try:
            record.parse_http()
        except (OSError, ValueError):
            return Response(place, skipped=_NO_HEADERS)
        headers = record.http_headers
        status = headers.status_code if headers is not None else None
        if status != 200:
            return _other_status(record, place, status)
        charset = record.http_charset
    return _body(record, headers, charset, place, limits)


def _body(record: WarcRecord, headers: Any, charset: str | None, place: int, limits: dict[str, int]) -> Response:
    """The page or image of a record. Raises OSError when it ends before its length."""
    content_type = headers.get("Content-Type") or ""
    kind = kind_of_type(content_type)
    limit = limits[_READ_AS.get(kind, "")]
    if not limit:
        return _left_out(record, place, NEITHER)
    packed = _Packed(headers.get("Transfer-Encoding") or "", headers.get("Content-Encoding") or "", limit)
    head = b""
    if kind == "unknown":
        head = record.reader.read(SNIFFED_BYTES)
        if not image_type(head) and not packed.transfer and not packed.encoding:
            return _left_out(record, place, NEITHER, len(head))
    found = _unpacked(record, head, packed)
    if isinstance(found, str):
        return Response(place, skipped=f"{_READ_AS[kind]}: {found}")
    kind, charset, content = _content(kind, content_type, charset, found)
    if not limits[kind]:
        return Response(place, skipped=NEITHER)
    return Response(place, _address(record, "WARC-Target-URI"), kind, charset, content)


def _unpacked(record: WarcRecord, head: bytes, packed: _Packed) -> bytes | str:
    """The body whose first bytes are read already, or why there is none."""
    body = head + record.reader.read(packed.limit + 1 - len(head))
    if len(body) < min(record.content_length, packed.limit):
        raise OSError(_SHORT)
    content = unpacked(body, *packed) if len(body) <= packed.limit else body
    if content is None:
        return "packed in a way that cannot be read"
    return content if len(content) <= packed.limit else "too many bytes"


def _content(kind: BodyKind, content_type: str, charset: str | None, body: bytes) -> tuple[BodyKind, str | None, bytes]:
    """Kind, charset and bytes of what is shown. Images are known by their first bytes, as browsers know them."""
    if kind == "multipart":
        return first_shown(content_type, body)
    if kind != "image" and image_type(body):
        return "image", None, body
    return ("" if kind == "unknown" else kind), charset, body


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
