"""Images inside the page."""

from __future__ import annotations

from base64 import b64encode

from manyview.errors import DataError

SIGNATURES = {
    "image/png": (0, b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": (0, b"\xff\xd8\xff"),
    "image/gif": (0, b"GIF8"),
    "image/webp": (8, b"WEBP"),
}


def data_uri(image: bytes) -> str:
    """The encoded image as a data: address; raises DataError unless it is PNG, JPEG, GIF or WebP."""
    for media_type, (start, signature) in SIGNATURES.items():
        if image[start : start + len(signature)] == signature:
            return f"data:{media_type};base64,{b64encode(image).decode('ascii')}"
    raise DataError(f"an image of the report begins with {image[:8]!r}; it must be PNG, JPEG, GIF or WebP")
