"""HTTP body: what a server sent, unpacked as its headers say or, if they lie, as its first bytes say."""

from __future__ import annotations

import io
import re
import zlib
from typing import Any

import pyarrow as pa
from fastwarc.stream_io import BrotliReader

__all__ = ["unpacked"]

_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r?\n")
_MOST_CODINGS = 4
_PIECE = 1 << 15


def unpacked(body: bytes, transfer: str, encoding: str, most_bytes: int) -> bytes | None:
    """At most `most_bytes` + 1 bytes of the content; None when it is packed and cannot be read.

    Codings that browsers do not know (`none`, `binary`, a charset) are ignored, as they do. A coding that the body does
    not have was undone already, as many crawlers do. What is packed by gzip or zstd is unpacked with or without a
    header. Of a cut body the beginning comes.
    """
    if "chunked" in transfer.lower():
        body = _unchunked(body, most_bytes)
    codings = [name.strip().lower() for name in f"{encoding},{transfer}".split(",")][: 2 * _MOST_CODINGS]
    for name in reversed(codings):
        if name == "deflate":
            body = _inflated(body, most_bytes) or body
        elif name == "br":
            body = _decompressed(BrotliReader(io.BytesIO(body)), most_bytes) or body
    for _ in range(_MOST_CODINGS):
        if body.startswith(_GZIP):
            body = _gunzipped(body, most_bytes)
        elif body.startswith(_ZSTD):
            body = _decompressed(pa.CompressedInputStream(pa.BufferReader(body), "zstd"), most_bytes)
        else:
            return body
        if not body:
            return None
    return None


def _unchunked(body: bytes, most_bytes: int) -> bytes:
    """Crawlers often store the body without its chunks and leave the header: then it stays."""
    pieces, position, size = list[bytes](), 0, 0
    while size <= most_bytes and (header := _CHUNK.match(body, position)):
        length = int(header[1], 16)
        piece = body[header.end() : header.end() + min(length, most_bytes + 1 - size)]
        pieces.append(piece)
        size += len(piece)
        position = header.end() + length
        if not length:
            break
        position += 2 if body[position : position + 2] == b"\r\n" else 1
    return b"".join(pieces) if pieces else body


def _gunzipped(body: bytes, most_bytes: int) -> bytes:
    """All members, one after the other."""
    pieces, size = list[bytes](), 0
    while size <= most_bytes and body.startswith(_GZIP):
        member = zlib.decompressobj(zlib.MAX_WBITS | 16)
        try:
            piece = member.decompress(body, most_bytes + 1 - size)
        except zlib.error:
            break
        pieces.append(piece)
        size += len(piece)
        body = member.unused_data
    return b"".join(pieces)


def _inflated(body: bytes, most_bytes: int) -> bytes:
    """With the header of zlib, as the standard says, or without it, as some servers do."""
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(window).decompress(body, most_bytes + 1)
        except zlib.error:
            continue
    return b""


def _decompressed(stream: Any, most_bytes: int) -> bytes:
    """What a stream gives up to its end or to its damage."""
    pieces, size = list[bytes](), 0
    try:
        while size <= most_bytes and (piece := stream.read(min(_PIECE, most_bytes + 1 - size))):
            pieces.append(bytes(piece))
            size += len(piece)
    except (OSError, ValueError):
        pass
    return b"".join(pieces)
