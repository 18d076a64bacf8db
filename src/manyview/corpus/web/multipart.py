"""Multipart: the page or image in a body of several parts."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import compat32

from manyview.corpus.fetch.sniff import image_type
from manyview.corpus.web.media_type import BodyKind, kind_of_type

__all__ = ["first_shown"]

_MOST_PARTS = 100


def first_shown(content_type: str, body: bytes) -> tuple[BodyKind, str | None, bytes]:
    """Kind ("page", "image" or empty), charset and content of the first part that is a page or an image."""
    head = f"Content-Type: {' '.join(content_type.split())}\r\n\r\n".encode("utf-8", "replace")
    try:
        message = BytesParser(policy=compat32).parsebytes(head + body)
    except RecursionError:
        return "", None, b""
    for number, part in enumerate(message.walk()):
        if part.is_multipart() or number > _MOST_PARTS:
            continue
        content = part.get_payload(decode=True)
        if not isinstance(content, bytes):
            continue
        if image_type(content):
            return "image", None, content
        if kind_of_type(part.get("Content-Type") or "text/plain") == "page":
            return "page", part.get_content_charset(), content
    return "", None, b""
