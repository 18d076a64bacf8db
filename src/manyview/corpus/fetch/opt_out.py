"""Opt-out headers: X-Robots-Tag and the TDM reservation protocol, which say that an image is not for training."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

__all__ = ["opted_out"]

_SCOPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9_-]*|\*)\s*:\s*(.*)", re.S)
_WITH_VALUE = frozenset({"unavailable_after", "max-snippet", "max-image-preview", "max-video-preview"})
_MEANT_BY = {"none": ("noindex", "nofollow")}


def opted_out(
    robots_tags: Iterable[str], tdm_reservation: str | None, token: str, refused: Collection[str]
) -> str | None:
    """The reason not to use an answer with these header values, or None.

    `robots_tags` are the X-Robots-Tag lines, `token` the crawler's product token, `refused` the directives
    to be obeyed in lower case ("noai", …, and "tdm-reservation").
    """
    for directive in _binding(robots_tags, token.casefold()):
        for meant in (directive, *_MEANT_BY.get(directive, ())):
            if meant in refused:
                return f"x-robots-tag: {meant}"
    if "tdm-reservation" in refused and (tdm_reservation or "").strip() == "1":
        return "tdm-reservation: 1"
    return None


def _binding(robots_tags: Iterable[str], token: str) -> Iterator[str]:
    """The directives for everybody or for `token`; a name before a colon scopes the rest of its line."""
    for line in robots_tags:
        scope = "*"
        for item in line.split(","):
            directive = item
            if (match := _SCOPE.fullmatch(item)) and match[1].casefold() not in _WITH_VALUE:
                scope, directive = match[1].casefold(), match[2]
            if scope in {"*", token}:
                yield directive.strip().casefold()
