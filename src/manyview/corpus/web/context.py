"""Context: the running text around an image."""

from __future__ import annotations

import re
from bisect import bisect_left

from manyview.corpus.web.captions import Captions
from manyview.corpus.web.headings import Headings, Section
from manyview.corpus.web.inherited import Inherited
from manyview.corpus.web.outline import HEADINGS, Outline, Run

__all__ = ["Surroundings"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_NOT_PROSE = _set(
    "nav footer form button select label textarea figcaption option th dt summary title head legend address menu"
) | frozenset(HEADINGS)
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_NOT_LETTERS = re.compile(r"(?:\W|[\d_])+")
_NOT_ASCII_LETTERS = bytes(of for of in range(128) if not chr(of).isalpha())
_LEAST_LETTERS = 25
_MOST_LINKED = 0.5
_LOOKED_AT = 40


class Surroundings:
    """Finds the paragraphs nearest to an image, within its section."""

    def __init__(self, outline: Outline, headings: Headings, captions: Captions, longest: int) -> None:
        self._outline, self._headings, self._captions, self._longest = outline, headings, captions, longest
        self._begins = [run[0] for run in outline.runs]
        self._links = outline.elements("a")
        self._link_begins = [outline.begins[of] for of in self._links]
        self._not_prose = Inherited(outline, outline.elements(*_NOT_PROSE)).marks
        self._prose = dict[tuple[int, bool], str]()

    def of(self, image: int, section: Section) -> str:
        """The paragraph the image stands in; else the nearest before and after it in the smallest element that
        has one of them. At most `longest` characters, the nearest ones."""
        outline = self._outline
        at = outline.begins[image]
        place = bisect_left(self._begins, at + 1)
        aside = self._headings.is_aside(image)
        if place and outline.runs[place - 1][1] > at and (own := self._text(place - 1, aside)):
            return self._clipped(own, "")
        before = self._nearest(range(place - 1, max(-1, place - 1 - _LOOKED_AT), -1), section, aside)
        after = self._nearest(range(place, min(len(outline.runs), place + _LOOKED_AT)), section, aside)
        if before < 0 and after < 0:
            return ""
        begin = outline.runs[before][0] if before >= 0 else -1
        end = outline.runs[after][1] if after >= 0 else len(outline.chunks) + 1
        for box in outline.ancestors(image):
            first, second = outline.begins[box] <= begin, end <= outline.ends[box]
            if first or second:
                texts = (self._text(before, aside) if first else "", self._text(after, aside) if second else "")
                return self._clipped(*texts)
        return ""

    def _nearest(self, places: range, section: Section, aside: bool) -> int:
        """The first of the runs that is running text, -1 if the section ends before one."""
        for place in places:
            begin, end, _ = self._outline.runs[place]
            if begin < section.begin or end > section.end:
                break
            if self._text(place, aside):
                return place
        return -1

    def _text(self, place: int, aside: bool) -> str:
        """The text of a run if it is running text, else nothing."""
        found = self._prose.get((place, aside))
        if found is None:
            found = self._prose[place, aside] = self._prose_of(self._outline.runs[place], aside)
        return found

    def _prose_of(self, run: Run, aside: bool) -> str:
        begin, end, owner = run
        if owner < 0 or self._outline.tags[owner] in _NOT_PROSE:
            return ""
        text = self._outline.between(begin, end)
        return text if _letters(text) >= _LEAST_LETTERS and self._is_prose(run, len(text), aside) else ""

    def _is_prose(self, run: Run, length: int, aside: bool) -> bool:
        begin, end, owner = run
        if (not aside and self._headings.is_aside(owner)) or self._captions.is_part_of_one(owner):
            return False
        outline = self._outline
        if self._not_prose(owner):
            return aside
        first, last = bisect_left(self._link_begins, begin), bisect_left(self._link_begins, end)
        links = self._links[first:last]
        linked = sum(len(outline.text(link)) for link in links[:_LOOKED_AT] if outline.ends[link] <= end)
        return linked <= _MOST_LINKED * length

    def _clipped(self, before: str, after: str) -> str:
        """Both, each with half of the room or what the other leaves."""
        room = self._longest
        kept = max(room // 2, room - len(after) - 1)
        if len(before) > kept:
            before = _from_word(before[-kept:])
        after_room = max(room // 2, room - len(before) - 1)
        if len(after) > after_room:
            after = after[:after_room].rpartition(" ")[0] or after[:after_room]
        return " ".join(filter(None, (before, after)))


def _letters(text: str) -> int:
    """A Chinese, Japanese or Korean character says as much as two and a half letters."""
    if len(text) < _LEAST_LETTERS // 3:
        return 0
    head = text[: 4 * _LEAST_LETTERS]
    plain = len(head.encode("ascii", "ignore").translate(None, _NOT_ASCII_LETTERS))
    if plain >= _LEAST_LETTERS or head.isascii():
        return plain
    letters = _NOT_LETTERS.sub("", head)
    return len(letters) + (0 if letters.isascii() else int(1.5 * len(_WIDE.findall(letters))))


def _from_word(text: str) -> str:
    return text.partition(" ")[2] or text
