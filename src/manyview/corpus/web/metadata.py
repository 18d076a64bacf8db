"""Metadata: what the `meta`, `link`, `base` and `title` elements of a page say."""

from __future__ import annotations

from dataclasses import dataclass, field

from manyview.corpus.web.address import absolute
from manyview.corpus.web.outline import Outline

__all__ = ["Metadata", "read_metadata"]


@dataclass(frozen=True)
class Metadata:
    """`base` is what the page's relative addresses are relative to; `said` the first content of each `meta`."""

    base: str
    title: str
    said: dict[str, str] = field(default_factory=dict)

    @property
    def site(self) -> str:
        return self.said.get("og:site_name") or self.said.get("application-name", "")


def read_metadata(outline: Outline, url: str) -> Metadata:
    """What stands in the head, or where the head should have been."""
    said = dict[str, str]()
    for element in outline.elements("meta"):
        attributes = outline.attributes(element)
        name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop", "")).lower()
        if name and name not in said:
            said[name] = " ".join(attributes.get("content", "").split())
    bases = (outline.get(of, "href").strip() for of in outline.elements("base"))
    canonical = (outline.get(of, "href").strip() for of in outline.elements("link") if "anonical" in outline.raw[of])
    own = url or absolute("", next(filter(None, canonical), "")) or absolute("", said.get("og:url", ""))
    pictures = (outline.get(of, "href").strip() for of in outline.elements("link") if "image_src" in outline.raw[of])
    said.setdefault("image_src", next(filter(None, pictures), ""))
    titles = map(outline.text, outline.elements("title"))
    base = next(filter(None, bases), "")
    return Metadata((absolute(own, base) if base else "") or own, next(filter(None, titles), ""), said)
