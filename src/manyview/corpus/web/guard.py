"""Guard: pages that would take hours or all memory to parse are named before they are parsed."""

from __future__ import annotations

import re
from collections import Counter

__all__ = ["explosive"]

_FEW_TAGS = 3_000
_MOST_NODES = 4_000_000
_MOST_ATTRIBUTES = 8_000  # in the pattern too
_FORMATTING = re.compile(r"<(/?)(a|b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE)
_CROWDED_TAG = re.compile(
    r"<[a-z][^\s>]*+(?:\s*+/?[^\s>=/]++(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|[^\s>]*+))?+){8000}",
    re.IGNORECASE,
)


def explosive(markup: str) -> bool:
    """Whether HTML's own rules turn this markup into very many nodes, or one tag has thousands of attributes.

    Formatting elements left open are opened again in each block that follows, so a page of n of them and n
    blocks makes n² nodes; comparing a tag's attributes takes time in their square.
    """
    tags = markup.count("<")
    if tags * tags > _MOST_NODES and tags > _FEW_TAGS and _most_left_open(markup) * tags > _MOST_NODES:
        return True
    return len(markup) > 4 * _MOST_ATTRIBUTES and _CROWDED_TAG.search(markup) is not None


def _most_left_open(markup: str) -> int:
    """The most formatting elements that are open at once."""
    found = Counter[str]()
    open_now = most = 0
    for closing, tag in _FORMATTING.findall(markup):
        name = tag.lower()
        if not closing:
            found[name] += 1
            open_now += 1
            most = max(most, open_now)
        elif found[name]:
            found[name] -= 1
            open_now -= 1
    return most
