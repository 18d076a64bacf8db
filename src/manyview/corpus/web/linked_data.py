"""Linked data: what a page's JSON-LD says of products, pictures, breadcrumbs and the site."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from manyview.corpus.web.outline import squeezed

__all__ = ["LinkedData", "Pictured", "read_linked_data"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MOST_NODES = 5_000
_SHOWN_THINGS = _set(
    "Product ProductGroup IndividualProduct ImageObject Recipe Article NewsArticle BlogPosting Book Movie Event "
    "Place Restaurant Vehicle Car Course CreativeWork VisualArtwork Painting Photograph"
)
_MARKUP = re.compile(r"<[^>]{1,200}>")


@dataclass(frozen=True)
class Pictured:
    """An image that the data names, and what is said of it; an empty text is one that is not said."""

    address: str
    caption: str = ""
    title: str = ""
    context: str = ""
    category: str = ""


@dataclass(frozen=True)
class LinkedData:
    """Everything of use in the JSON-LD of one page."""

    pictured: tuple[Pictured, ...] = ()
    trail: tuple[str, ...] = ()
    site: str = ""


def read_linked_data(blocks: list[str]) -> LinkedData:
    """What the blocks say together; a block that is not JSON says nothing."""
    pictured, trail, site = list[Pictured](), tuple[str, ...](), ""
    for node in (node for block in blocks for node in _nodes(_parsed(block))):
        kinds = _kinds(node)
        if "BreadcrumbList" in kinds:
            trail = trail or _trail(node)
        elif "WebSite" in kinds:
            site = site or _said(node.get("name"))
        elif kinds & _SHOWN_THINGS:
            pictured.extend(_pictured(node, kinds))
    return LinkedData(tuple(dict.fromkeys(pictured)), trail, site)


def _parsed(block: str) -> Any:
    text = block.strip().removeprefix("<!--").removesuffix("-->").strip().rstrip(";")
    for attempt in (text, re.sub(r",\s*([}\]])", r"\1", text)):
        try:
            return json.loads(attempt, strict=False)
        except (ValueError, RecursionError):
            continue
    return None


def _nodes(root: Any) -> Iterator[Mapping[str, Any]]:
    waiting, seen = [root], 0
    while waiting and seen < _MOST_NODES:
        node = waiting.pop()
        seen += 1
        if isinstance(node, dict):
            yield node
            waiting.extend(reversed(list(node.values())))
        elif isinstance(node, list):
            waiting.extend(reversed(node[:_MOST_NODES]))


def _kinds(node: Mapping[str, Any]) -> set[str]:
    said = node.get("@type")
    names = said if isinstance(said, list) else [said]
    return {name.rpartition("/")[2] for name in names if isinstance(name, str)}


def _pictured(node: Mapping[str, Any], kinds: set[str]) -> Iterator[Pictured]:
    if "ImageObject" in kinds:
        for address in _addresses(node):
            yield Pictured(address, caption=_said(node.get("caption")) or _said(node.get("description")))
        return
    title = _said(node.get("name")) or _said(node.get("headline"))
    product = bool(kinds & {"Product", "ProductGroup", "IndividualProduct", "Recipe"})
    context = _said(node.get("description"))
    category = _said(node.get("category")) if product else ""
    for address in _addresses(node.get("image")):
        yield Pictured(address, title=title, context=context, category=category)


def _addresses(image: Any) -> Iterator[str]:
    for one in image[:100] if isinstance(image, list) else [image]:
        if isinstance(one, str):
            yield one.strip()
        elif isinstance(one, dict):
            said = one.get("contentUrl") or one.get("url")
            if isinstance(said, str):
                yield said.strip()


def _trail(node: Mapping[str, Any]) -> tuple[str, ...]:
    items = node.get("itemListElement")
    found = list[tuple[float, int, str]]()
    for place, item in enumerate(items[:20] if isinstance(items, list) else []):
        if isinstance(item, dict):
            inner = item.get("item")
            name = _said(item.get("name")) or (_said(inner.get("name")) if isinstance(inner, dict) else "")
            found.append((_position(item.get("position"), place), place, name))
    return tuple(name for _, _, name in sorted(found) if name)


def _position(said: Any, place: int) -> float:
    try:
        return float(said)
    except (TypeError, ValueError):
        return place + 1.0


def _said(value: Any) -> str:
    if isinstance(value, list):
        value = next((one for one in value if isinstance(one, str)), "")
    if not isinstance(value, str):
        return ""
    return squeezed(_MARKUP.sub(" ", html.unescape(value[:20_000])).replace("\0", ""))
