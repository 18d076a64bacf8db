"""Outline: a page's elements and texts as flat lists in document order.

A walk over the DOM costs four microseconds a node in Python; the parser's own serialization of the repaired
tree is read at a tenth of that, and gives the same elements (`tests/corpus/web/test_outline.py` walks both).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from resiliparse.parse.html import HTMLTree

__all__ = ["HEADINGS", "Outline", "Run", "squeezed"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_VOID = _set("area base basefont bgsound br col embed frame hr img input keygen link meta param source track wbr")
_BLOCKS = _set(
    "address article aside blockquote body br button caption center dd details dialog dir div dl dt fieldset "
    "figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 header hgroup hr html legend li listing main menu "
    "nav ol optgroup option p pre search section select summary table tbody td textarea tfoot th thead title tr "
    "ul"
)
_NOT_TEXT = re.compile(
    r"<!--.*?-->|<(script|style|iframe|xmp|noembed|noframes|plaintext|svg|math|template)(?=[ >]).*?</\1>", re.DOTALL
)
_LINKED_DATA = re.compile(r'<script(?=[^>]*="(?i:application/ld\+json))[^>]*>(.*?)</script>', re.DOTALL)
_ATTRIBUTE = re.compile(r'(\S[^\s=]*)="([^"]*)"')
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_DEEPEST = 200
_TAG = re.compile("<([^>]*)>")
_REMEMBERED, _MOST_REMEMBERED = 100, 20_000
_MOST_LINES = 256


class _Tags(dict[str, tuple[str, str, bool, bool, bool]]):
    """What stands between the signs, taken apart: name, attributes, whether it closes, begins or ends a block, is void.

    Short ones are remembered, for pages repeat them.
    """

    def __missing__(self, tag: str) -> tuple[str, str, bool, bool, bool]:
        name, _, said = tag.partition(" ")
        closes = name[:1] == "/"
        name = name.removeprefix("/") if closes else name if name[:1].isalpha() else ""
        found = name, said, closes, name in _BLOCKS, name in _VOID
        if len(tag) <= _REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[tag] = found
        return found


_KNOWN = _Tags()


def _unescaped(text: str) -> str:
    """The five references that a serialized tree holds, resolved."""
    text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\xa0")
    return text.replace("&quot;", '"').replace("&amp;", "&")


def squeezed(text: str) -> str:
    """White space collapsed, soft hyphens and invisible marks of width zero gone."""
    if not text.isascii() and ("\u200b" in text or "\u00ad" in text or "\u2060" in text or "\ufeff" in text):
        text = text.translate(_INVISIBLE)
    return " ".join(text.split())


Run = tuple[int, int, int]  # text between two borders of blocks: its chunks [begin, end), the element it is in


@dataclass(slots=True)
class Outline:
    """Element i is `tags[i]`; its descendants are i + 1 … `lasts[i]` - 1 and its texts the chunks from
    `begins[i]` to `ends[i]`."""

    tags: list[str] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    lasts: list[int] = field(default_factory=list)
    begins: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    chunks: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    linked_data: list[str] = field(default_factory=list)
    _lines: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _by_tag: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _by_raw: defaultdict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def parse(cls, markup: str) -> Outline:
        """The outline of a page, however broken."""
        try:
            repaired = str(HTMLTree.parse(markup))
        except UnicodeEncodeError:  # halves of surrogate pairs
            repaired = str(HTMLTree.parse(markup.encode("utf-8", "replace").decode()))
        outline = cls()
        if "<script" in repaired:
            outline.linked_data = _LINKED_DATA.findall(repaired)
        _fill(outline, _NOT_TEXT.sub("", repaired))
        return outline

    def attributes(self, element: int) -> dict[str, str]:
        raw = self.raw[element]
        if not raw:
            return {}
        pairs = _ATTRIBUTE.findall(raw)
        return {name: _unescaped(value) for name, value in pairs} if "&" in raw else dict(pairs)

    def get(self, element: int, name: str) -> str:
        """One attribute, empty when it is not there."""
        return self.attributes(element).get(name, "") if name in self.raw[element] else ""

    def text(self, element: int) -> str:
        return self.between(self.begins[element], self.ends[element])

    def speaks(self, element: int) -> bool:
        """Whether the element has any text."""
        return bool("".join(self.chunks[self.begins[element] : self.ends[element]]).strip())

    def between(self, begin: int, end: int) -> str:
        """The text of some chunks, white space collapsed."""
        text = "".join(self.chunks[begin:end])
        return squeezed(_unescaped(text) if "&" in text else text)

    def ancestors(self, element: int) -> tuple[int, ...]:
        """From the parent up, no more than 200 of them."""
        parent = self.parents[element]
        found = self._lines.get(parent)
        if found is None:
            if len(self._lines) >= _MOST_LINES:
                self._lines.clear()
            found = self._lines[parent] = self._upward(parent)
        return found

    def _upward(self, element: int) -> tuple[int, ...]:
        found, parents = list[int](), self.parents
        while element >= 0 and len(found) < _DEEPEST:
            found.append(element)
            element = parents[element]
        return tuple(found)

    def holds(self, ancestor: int, element: int) -> bool:
        """Whether `element` is `ancestor` or stands in it."""
        return ancestor <= element < self.lasts[ancestor]

    def inside(self, ancestor: int, ordered: list[int]) -> list[int]:
        """Those of some elements in document order that stand in `ancestor`."""
        return ordered[bisect_left(ordered, ancestor) : bisect_left(ordered, self.lasts[ancestor])]

    def children(self, element: int) -> Iterator[int]:
        child = element + 1
        while child < self.lasts[element]:
            yield child
            child = self.lasts[child]

    def elements(self, *tags: str) -> list[int]:
        """Those with one of the tags, in document order."""
        found = [self._by_tag[tag] for tag in tags if tag in self._by_tag]
        return found[0] if len(found) == 1 else sorted(chain.from_iterable(found))

    def saying(self, says: Mapping[str, bool]) -> list[int]:
        """Those with attributes of which something is true, in document order; asked once for equal attributes."""
        return sorted(chain.from_iterable([of for raw, of in self._by_raw.items() if says[raw]]))

    def marked(self, tags: Iterable[str], says: Mapping[str, bool], never: frozenset[str]) -> list[int]:
        """Those with one of the tags, or whose attributes say the same unless their tag is one that never does."""
        said = (of for of in self.saying(says) if self.tags[of] not in never)
        return sorted({*self.elements(*tags), *said})


def _fill(outline: Outline, markup: str) -> None:  # noqa: PLR0912  said below
    """One loop over all tags of all pages: flat on purpose, each line of it is paid a million times."""
    tags, raw, parents, begins = outline.tags, outline.raw, outline.parents, outline.begins
    by_tag, by_raw = outline._by_tag, outline._by_raw
    pieces = _taken_apart(markup)
    most = len(pieces) // 2
    lasts, ends, chunks, runs = [0] * most, [0] * most, outline.chunks, outline.runs
    top, count, run, length = -1, 0, -1, 0
    rest = iter(pieces)
    next(rest)
    for (name, said, closes, border, void), text in zip(map(_KNOWN.__getitem__, rest), rest, strict=True):
        if border:
            if run >= 0:
                runs.append((run, length, top))
                run = -1
            chunks.append(" ")
            length += 1
        if closes:
            if top >= 0 and tags[top] == name:
                lasts[top], ends[top] = count, length
                top = parents[top]
        elif name:
            tags.append(name)
            by_tag[name].append(count)
            raw.append(said)
            if said:
                by_raw[said].append(count)
            parents.append(top)
            begins.append(length)
            if void:
                lasts[count], ends[count] = count + 1, length
            else:
                top = count
            count += 1
        if text:
            if run < 0:
                if text.isspace():
                    continue
                run = length
            chunks.append(text)
            length += 1
    if run >= 0:
        runs.append((run, length, top))
    while top >= 0:
        lasts[top], ends[top] = count, length
        top = parents[top]
    outline.lasts, outline.ends = lasts[:count], ends[:count]


def _taken_apart(markup: str) -> list[str]:
    """Text, what a tag says between its signs, text …; a sign without its pair is in the name of a tag or attribute."""
    pieces = markup.replace(">", "<").split("<")
    return pieces if len(pieces) == 2 * markup.count("<") + 1 else _TAG.split(markup)
