"""Captions: the texts that a page's markup puts under an image as its own."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

from manyview.corpus.web.answers import Answers
from manyview.corpus.web.outline import Outline

__all__ = ["Captions"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_CAPTION = re.compile(
    r"(?:^|[\s_-])(?:fig(?:ure)?-?)?caption(?:s|ed|-?text|-?inner|-?content)?(?:$|[\s_-])|thumbcaption|gallerytext|"
    r"(?:image|img|photo|picture|media|figure|pic|gallery)[_-]?(?:title|desc(?:ription)?|legend|text|info|caption)|"
    r"(?:^|[\s_-])(?:bildunterschrift|legende|bildtext|picinfo|imgtxt|img_descr|pictext)(?:$|[\s_-])",
    re.IGNORECASE,
)
_FIGURE = re.compile(
    r"(?:^|[\s_-])(?:figure|informalfigure|wp-caption|thumb(?:inner)?|mediaobject|gallery-?(?:item|box)|"
    r"image-?(?:block|container|wrap(?:per)?)?|img-?(?:box|wrap(?:per)?|container)?|photo|picture|media|pic)"
    r"(?:$|[\s_-])",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:fig(?:ure|\.)?|abb(?:ildung|\.)?|bild|foto|photo|image|picture|figura|fig|imagen|illustration|"
    r"рис(?:унок|\.)?|图|圖|図|그림|الشكل|شكل)\s*[.:]?\s*[\dIVX]+(?:[.\-–]\d+)*[a-z]?\s*(?:[.:：、)|–—-]+\s*|\s+)",
    re.IGNORECASE,
)
_CLASS = re.compile(r'(?:^|\s)class="([^"]*)"')
_SLANTED = ("em", "i", "small", "figcaption", "cite")
_CAPTIONS = ("figcaption", "amp-figcaption")
_DOCBOOK_TITLE = 'class="title"'
_CLIMBED, _LONGEST, _MOST = 6, 600, 50
_NEVER = _set("a img figure body html meta track source link input video button source script head")


@Answers
def _says_caption(raw: str) -> bool:
    return any(_CAPTION.search(said) for said in _CLASS.findall(raw))


@Answers
def _may_say_caption(raw: str) -> bool:
    return raw == _DOCBOOK_TITLE or _says_caption[raw]


@Answers
def _says_figure(raw: str) -> bool:
    return any(_FIGURE.search(said) for said in _CLASS.findall(raw))


def _unlabelled(text: str) -> str:
    label = _LABEL.match(text)
    return text[label.end() :] if label else text


class Captions:
    """Finds the captions of a page's images; `images` are the elements that count, in document order."""

    def __init__(self, outline: Outline, images: list[int]) -> None:
        self._outline, self._images = outline, images
        named = (of for of in outline.saying(_may_say_caption) if self._is_caption(of))
        self._named = sorted({*outline.elements(*_CAPTIONS), *named})
        self._holders = set(self._named)

    def of(self, image: int) -> tuple[str, ...]:
        """The image's own caption first, then that of the whole figure; labels such as "Figure 3." are left out."""
        elements = self._elements(image)
        self._holders.update(elements)
        texts = map(_unlabelled, map(self._outline.text, elements))
        return tuple(dict.fromkeys(text for text in texts if 1 < len(text) <= _LONGEST))

    def is_part_of_one(self, element: int) -> bool:
        """Whether an element is a caption or stands in one."""
        return element in self._holders or not self._holders.isdisjoint(self._outline.ancestors(element))

    def _is_caption(self, element: int) -> bool:
        outline = self._outline
        tag, raw = outline.tags[element], outline.raw[element]
        if tag in _NEVER:
            return False
        if tag == "p" and raw == _DOCBOOK_TITLE:  # of a figure
            parent = outline.parents[element]
            return parent >= 0 and "figure" in outline.raw[parent]
        return _says_caption[raw] and self._is_small(element)

    def _is_small(self, element: int) -> bool:
        """A box for image and caption together may be called a caption too: one with an image inside is a box."""
        outline = self._outline
        begin, end = element, outline.lasts[element]
        return end - begin < 60 and "img" not in outline.tags[begin:end]

    def _elements(self, image: int) -> list[int]:
        found = list(self._by_box(image)) if self._named else []
        return found or self._by_table(image) or self._by_definition(image) or self._by_slant(image)

    def _by_box(self, image: int) -> Iterator[int]:
        """Climb: in a figure its captions count; in any other box only if the image is alone in it."""
        outline, images = self._outline, self._images
        at = bisect_left(images, image)
        before, after = images[at - 1] if at else -1, images[at + 1] if at + 1 < len(images) else len(outline.tags)
        below = image
        for climbed, box in enumerate(outline.ancestors(image)):
            tag = outline.tags[box]
            figure = tag == "figure" or _says_figure[outline.raw[box]]
            if tag in ("body", "main", "article", "section") and not figure:
                return
            if climbed >= _CLIMBED and not figure:
                return
            alone = before < box and outline.lasts[box] <= after
            if figure or alone:
                yield from self._nearest(image, box, below)
            elif not figure and climbed >= _CLIMBED // 2:
                return
            below = box

    def _nearest(self, image: int, box: int, below: int) -> list[int]:
        """Captions in `box` outside `below`, where the last step came from; those of other images left out."""
        outline = self._outline
        over = outline.lasts[below]
        inside = [of for of in outline.inside(box, self._named)[:_MOST] if of < below or of >= over]
        if not inside:
            return []
        own = [of for of in inside if not self._of_another(of, box)]
        outer = [of for of in own if not any(of != other and outline.holds(other, of) for other in own)]
        images = outline.inside(box, self._images)
        if len(outer) > 1 and len(images) > 1:  # as many captions as images, in turn
            if len(outer) == len(images):
                return [outer[images.index(image)]]
            after = [of for of in outer if of > image]
            return after[:1] or outer[-1:]
        return outer

    def _of_another(self, caption: int, box: int) -> bool:
        """Whether a smaller figure inside the box holds the caption."""
        outline = self._outline
        for between in outline.ancestors(caption):
            if between == box:
                return False
            if outline.inside(between, self._images):
                return True
        return False

    def _by_table(self, image: int) -> list[int]:
        """The cell below in the same column, or below the only cell; a row of images over a row of texts."""
        outline = self._outline
        cell = next((of for of in outline.ancestors(image) if outline.tags[of] in ("td", "th")), -1)
        if cell < 0 or outline.text(cell):
            return []
        row = outline.parents[cell]
        cells = [of for of in outline.children(row) if outline.tags[of] in ("td", "th")]
        below = outline.lasts[row]
        table = next((of for of in outline.ancestors(row) if outline.tags[of] == "table"), -1)
        titled = [of for of in outline.children(table) if outline.tags[of] == "caption"] if table >= 0 else []
        if table < 0 or below >= outline.lasts[table] or outline.tags[below] != "tr":
            return titled
        under = [of for of in outline.children(below) if outline.tags[of] in ("td", "th")]
        if len(under) != len(cells) or outline.inside(below, self._images):
            return titled
        fitting = under[cells.index(cell)]
        return [fitting] if 0 < len(outline.text(fitting)) <= _LONGEST // 2 else titled

    def _by_definition(self, image: int) -> list[int]:
        """`<dt><img></dt><dd>text</dd>`, as galleries were written."""
        outline = self._outline
        term = next((of for of in outline.ancestors(image) if outline.tags[of] == "dt"), -1)
        if term < 0 or outline.text(term):
            return []
        after = outline.lasts[term]
        return [after] if after < len(outline.tags) and outline.tags[after] == "dd" else []

    def _by_slant(self, image: int) -> list[int]:
        """`<p><img><br><em>text</em></p>`: a block that holds the image and nothing but slanted or small text."""
        outline = self._outline
        below = image
        for block in outline.ancestors(image):
            if outline.tags[block] in ("a", "picture", "span", "noscript", "center") and not outline.text(block):
                below = block
                continue
            if (
                outline.tags[block] not in ("p", "div", "center", "td", "li")
                or len(outline.inside(block, self._images)) > 1
            ):
                return []
            slanted = [of for of in range(outline.lasts[below], outline.lasts[block]) if outline.tags[of] in _SLANTED]
            said = outline.text(block)
            return slanted[:1] if slanted and outline.text(slanted[0]) == said and said else []
        return []
