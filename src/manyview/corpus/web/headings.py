"""Headings: which heading an image stands under, and how far its section reaches."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import NamedTuple

from manyview.corpus.web.answers import Answers
from manyview.corpus.web.inherited import Inherited
from manyview.corpus.web.outline import HEADINGS, Outline

__all__ = ["Headings", "Section"]

_CLOSED_TAGS = frozenset(("section", "article", "li", "figure", "details", "dialog", "dd"))
_CLOSED = re.compile(r"(?:^|\s)(?:sect\d|section|chapter|card|product|item|post|teaser|entry)(?:$|\s)", re.IGNORECASE)
_ASIDE_TAGS = ("nav", "aside", "footer", "dialog", "form")
_ASIDE = re.compile(
    r"(?:^|[\s_-])(?:nav(?:bar|header|footer|igation)?|footer|sidebar|breadcrumbs?|menu|cookies?|newsletter|toc|"
    r"comments?|share|social|widget|related|logo|masthead)(?:$|[\s_-])",
    re.IGNORECASE,
)
_NEVER_ASIDE = frozenset(("a", "body", "html", "main", "article", "img")) | HEADINGS
_NAMED = re.compile(r'(?:^|\s)(?:class|id)="([^"]*)"')
_ROLE = re.compile(r'(?:^|\s)role="(?:navigation|contentinfo|search)"')
_LOOKED_BACK = 50


@Answers
def _says_aside(raw: str) -> bool:
    """Navigation, a side bar, a footer or the like."""
    return any(_ASIDE.search(said) for said in _NAMED.findall(raw)) or _ROLE.search(raw) is not None


@Answers
def _says_closed(raw: str) -> bool:
    return any(_CLOSED.search(said) for said in _NAMED.findall(raw))


@Answers
def _says_heading(raw: str) -> bool:
    return 'role="heading"' in raw


class Section(NamedTuple):
    """The heading over an image, and the chunks from `begin` to `end` that it heads."""

    heading: int
    begin: int
    end: int


class Headings:
    """The headings of a page; `images` are the elements that count, in document order."""

    def __init__(self, outline: Outline, images: list[int]) -> None:
        self._outline, self._images = outline, images
        self.is_aside = Inherited(outline, outline.marked(_ASIDE_TAGS, _says_aside, _NEVER_ASIDE)).marks
        found = outline.elements(*HEADINGS)
        if named := outline.saying(_says_heading):
            found = sorted({*found, *named})
        self.elements = [of for of in found if outline.speaks(of)]
        self._shown = [of for of in self.elements if not self.is_aside(of)]
        self.main = [of for of in self._shown if outline.tags[of] == "h1"]

    def section(self, image: int) -> Section:
        """The nearest heading before the image that is not another section's own; in a box that begins with the
        image (a card), the first one after it."""
        outline = self._outline
        heads = self.elements if self.is_aside(image) else self._shown
        at = bisect_left(heads, image)
        above = heads[at - 1] if at else -1
        below = heads[at] if at < len(heads) else len(outline.tags)
        for box in outline.ancestors(image):
            if above < box and outline.lasts[box] <= below:
                continue
            first, last = bisect_left(heads, box), bisect_left(heads, outline.lasts[box])
            images = outline.inside(box, self._images)
            place = self._place_in_turn(images, heads[first : min(last, first + len(images) + 1)], image)
            if place is not None:
                section = self._below(box, heads, first + place, last)
                return Section(section.heading, outline.begins[image], section.end)
            for before in range(at - 1, max(first, at - _LOOKED_BACK) - 1, -1):
                if not self._closed(heads[before], box):
                    return self._above(box, heads, before, at, last)
            if at == first and (last - first == 1 or images[:1] == [image]):
                return self._below(self._grown(box, heads), heads, first, last)
        end = outline.begins[heads[at]] if at < len(heads) else len(outline.chunks)
        return Section(-1, outline.ends[heads[at - 1]] if at else 0, end)

    def _place_in_turn(self, images: list[int], heads: list[int], image: int) -> int | None:
        """Image, heading, image, heading …: each image stands over its heading, so this one over which?"""
        if len(images) < 2 or len(images) != len(heads):
            return None
        ends = (*images[1:], heads[-1] + 1)
        in_turn = all(one < head < end for one, head, end in zip(images, heads, ends, strict=True))
        return images.index(image) if in_turn else None

    def _closed(self, heading: int, box: int) -> bool:
        """Whether the heading heads an element in `box` that is over before the image comes."""
        outline = self._outline
        for between in outline.ancestors(heading):
            if between == box:
                return False
            if outline.tags[between] in _CLOSED_TAGS or _says_closed[outline.raw[between]]:
                return True
        return False

    def _above(self, box: int, heads: list[int], before: int, at: int, last: int) -> Section:
        """What lies between the heading or the sections that are over, and the next heading."""
        outline = self._outline
        over = (self._outermost(heads[of], box) for of in range(before + 1, at))
        begin = max((outline.ends[of] for of in over), default=outline.ends[heads[before]])
        end = outline.begins[heads[at]] if at < last else outline.ends[box]
        return Section(heads[before], begin, end)

    def _below(self, box: int, heads: list[int], place: int, last: int) -> Section:
        outline = self._outline
        end = outline.begins[heads[place + 1]] if place + 1 < last else outline.ends[box]
        return Section(heads[place], outline.begins[box], end)

    def _grown(self, box: int, heads: list[int]) -> int:
        """The largest element around `box` with no further heading and no further image: the whole card."""
        outline = self._outline
        within = len(outline.inside(box, heads)), len(outline.inside(box, self._images))
        for around in outline.ancestors(box):
            if (len(outline.inside(around, heads)), len(outline.inside(around, self._images))) != within:
                break
            box = around
        return box

    def _outermost(self, heading: int, box: int) -> int:
        """The child of `box` that holds the heading."""
        found = heading
        for between in self._outline.ancestors(heading):
            if between == box:
                break
            found = between
        return found
