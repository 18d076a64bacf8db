"""Sniffing: what a file is by its first bytes, whatever its name and header say."""

from __future__ import annotations

import re

from manyview.imaging import format_of

__all__ = ["SNIFFED_BYTES", "image_type", "looks_like_page"]

SNIFFED_BYTES = 256
_SUBTYPES = {"JPEG2000": "jp2", "PPM": "x-portable-anymap"}
_PAGE = re.compile(
    rb"(\xef\xbb\xbf)?\s*<(!doctype\s+html|html|head|body|script|\?xml[^>]*>\s*<(!doctype\s+)?html)", re.I
)


def image_type(head: bytes) -> str | None:
    """The media type of a file that begins so, if it is an image in a format that is read, else None."""
    name = format_of(head)
    return None if name is None else f"image/{_SUBTYPES.get(name, name.lower())}"


def looks_like_page(head: bytes) -> bool:
    """Whether the bytes begin an HTML page, as a shop's "not found" with status 200 does."""
    return _PAGE.match(head) is not None
