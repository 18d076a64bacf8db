"""Metadata: what the `meta`, `link`, `base` and `title` elements of a page say."""

from __future__ import annotations

from dataclasses import dataclass, field

from manyview.corpus.web.address import absolute
from manyview.corpus.web.outline import Outline

__all__ = ["Metadata", "read_metadata"]

_TOLD = frozenset(("meta", "title", "base", "link"))


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
    said, base, titles, canonical = dict[str, str](), "", list[str](), ""
    for element, tag in enumerate(outline.tags):
        if tag not in _TOLD:
            continue
        if tag == "meta":
            attributes = outline.attributes(element)
            name = (attributes.get("property") or attributes.get("name") or attributes.get("itemprop", "")).lower()
            if name and name not in said:
                said[name] = " ".join(attributes.get("content", "").split())
        elif tag == "title":
            titles.append(outline.text(element))
        elif tag == "base" and not base:
            base = outline.get(element, "href").strip()
        elif tag == "link" and not canonical and "anonical" in outline.raw[element]:
            canonical = outline.get(element, "href").strip()
    own = url or absolute("", canonical) or absolute("", said.get("og:url", ""))
    return Metadata(absolute(own, base) or own, next(filter(None, titles), ""), said)
