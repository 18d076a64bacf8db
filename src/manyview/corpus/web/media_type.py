"""Media type: what the body of a response may be, by the type its server names and then by its first bytes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

__all__ = ["BodyKind", "kind_of_type"]

BodyKind = Literal["page", "image", "multipart", "unknown", ""]

_PAGES = ("text/html", "application/xhtml+xml")
_UNKNOWN = re.compile(r"octet|binary|unknown|download|plain|jpe?g|jpg|png|gif|webp|avif|\*|image$|file$")


@lru_cache(maxsize=1_000)
def kind_of_type(content_type: str) -> BodyKind:
    """The kind that a Content-Type names; "unknown" for one under which servers send anything, images among it.

    A page that names no type is taken for HTML: parsing what is not finds no images.
    """
    media = re.split("[;,]", content_type, maxsplit=1)[0].strip().lower()
    if media in _PAGES or not media:
        return "page"
    if "svg" in media:
        return ""
    if media.startswith("image/"):
        return "image"
    if media.startswith("multipart/"):
        return "multipart"
    return "unknown" if _UNKNOWN.search(media) else ""
