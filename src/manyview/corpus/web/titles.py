"""Titles: a page's title without the name of its site."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

__all__ = ["page_title", "unnumbered"]

_SEPARATOR = re.compile(r"\s+[|\-–—·•:»«/~]+\s+|\s*[|｜_»«]+\s*|\s*(?:::|--|—|–)\s*|\s+[:：]\s+|: (?=[^:]*$)")
_TIGHT = re.compile(r"(?<=[\u3040-\u9fff\uac00-\ud7af）】》」])\s*-\s*(?=[\w【《])")
_SECTION = re.compile(r"\d{1,3}(?:\.\d{1,3})+\.?\s+")


def unnumbered(text: str) -> str:
    """A heading without its section's number: "3.4. Lens Blur" is "Lens Blur", "1. FC Köln" stays."""
    number = _SECTION.match(text)
    return text[number.end() :] if number else text


def page_title(title: str, site: str, url: str, headings: tuple[str, ...] = ()) -> str:
    """The title without parts that name the site, or that follow one of the page's main headings.

    `site` is what the page calls its site, if anything; else the host's name tells which part it is.
    """
    text = " ".join(title.split())
    cuts = [match.span() for match in (*_SEPARATOR.finditer(text), *_TIGHT.finditer(text))]
    if not cuts:
        return unnumbered(text)
    for heading in headings:
        if heading and _starts_part(text, heading, cuts):
            return unnumbered(heading)
    begin, end = 0, len(text)
    spans = sorted(cuts)
    names = [of for of in (_bare(site), *_host_names(url)) if of]
    while spans and _names_site(text[spans[-1][1] : end], names):
        end = spans.pop()[0]
    while spans and _names_site(text[begin : spans[0][0]], names):
        begin = spans.pop(0)[1]
    return unnumbered(text[begin:end].strip())


def _starts_part(text: str, heading: str, cuts: list[tuple[int, int]]) -> bool:
    """Whether the heading is what stands before one separator, or after the first."""
    before = {text[:begin].strip() for begin, _ in cuts}
    after = {text[end:].strip() for _, end in cuts[:1]}
    return heading in before or heading in after


def _names_site(part: str, names: list[str]) -> bool:
    """Equal to a name of the site, or the site's name with or without a word or two."""
    bare = _bare(part)
    if not bare:
        return True
    for name in names:
        if bare == name or (len(name) >= 4 and name in bare and len(bare) <= len(name) + 12):
            return True
        if len(bare) >= 4 and bare in name and 2 * len(bare) >= len(name):
            return True
    return False


def _host_names(url: str) -> list[str]:
    """ "www.acme-shop.co.uk" → "acmeshop"."""
    host = (urlsplit(url).hostname or "") if url else ""
    labels = [of for of in host.split(".") if of not in ("www", "m", "shop", "blog", "news", "en", "de", "co", "com")]
    return [_bare(label) for label in labels[:-1] if len(label) > 2]


def _bare(text: str) -> str:
    """Letters and digits alone, case folded."""
    return "".join(filter(str.isalnum, text.casefold()))
