"""Sniffing: what a file is by its first bytes, whatever its name and header say."""

from __future__ import annotations

import re

__all__ = ["SNIFFED_BYTES", "image_type", "looks_like_page"]

SNIFFED_BYTES = 256
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body|script|\?xml[^>]*>\s*<(!doctype\s+)?html)", re.I
)


def image_type(head: bytes) -> str | None:
    """The media type of a JPEG, PNG, GIF or WebP file that begins so, else None."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    return None


def looks_like_page(head: bytes) -> bool:
    """Whether the bytes begin an HTML page, as a shop's "not found" with status 200 does."""
    return _PAGE.match(head) is not None
