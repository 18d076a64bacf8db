"""HTTP body: what a server sent, unpacked as its headers say or, if they lie, as it is."""

from __future__ import annotations

import io
import zlib

from fastwarc.stream_io import BrotliReader, ChunkedReader

__all__ = ["unpacked"]

_GZIP = b"\x1f\x8b"


def unpacked(body: bytes, transfer: str, encoding: str, most_bytes: int) -> bytes | None:
    """At most `most_bytes` + 1 bytes of the content; None when it says to be packed and cannot be read so."""
    if "chunked" in transfer.lower():
        body = _unchunked(body, most_bytes)
    for name in reversed([of.strip().lower() for of in encoding.split(",")]):
        if name in ("gzip", "x-gzip", "deflate"):
            found = _inflated(body, most_bytes)
            body = found if found else body
        elif name == "br":
            body = _unbrotlied(body, most_bytes)
        elif name not in ("", "identity", "utf-8"):
            return None
    return None if body.startswith(_GZIP) else body


def _unchunked(body: bytes, most_bytes: int) -> bytes:
    """Crawlers often store the body without its chunks and leave the header: then it stays."""
    try:
        return bytes(ChunkedReader(io.BytesIO(body)).read(most_bytes + 1))
    except (OSError, ValueError):
        return body


def _unbrotlied(body: bytes, most_bytes: int) -> bytes:
    try:
        return bytes(BrotliReader(io.BytesIO(body)).read(most_bytes + 1)) or body
    except (OSError, ValueError):
        return body


def _inflated(body: bytes, most_bytes: int) -> bytes:
    for window in (zlib.MAX_WBITS | 32, -zlib.MAX_WBITS):
        try:
            return zlib.decompressobj(window).decompress(body, most_bytes + 1)
        except zlib.error:
            continue
    return b""
