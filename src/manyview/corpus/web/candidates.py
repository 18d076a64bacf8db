"""Candidates: the images in a page's markup that may be worth it, by their elements and addresses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import NamedTuple

from manyview.corpus.web.address import background_address, image_address, image_addresses, is_stand_in
from manyview.corpus.web.answers import Answers
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.inherited import Inherited
from manyview.corpus.web.junk import chrome, junk_reason
from manyview.corpus.web.outline import Outline
from manyview.imaging import FORMATS

__all__ = ["Candidate", "Candidates", "Resolve", "may_show"]

Resolve = Callable[[str, str], str]
_MOST_ALTERNATIVES = 20
_IMAGES = ("img", "amp-img")
_READ_EVERYWHERE = ("", "image/jpeg", "image/jpg", "image/png", "image/webp", "image/gif", "image/bmp")
_READ_MOSTLY = ("image/avif", "image/tiff", "image/jp2") if "AVIF" in FORMATS else ()


@Answers
def _shows_background(raw: str) -> bool:
    """A picture by role, with a name for those who cannot see it."""
    return 'role="img"' in raw and "url(" in raw and ("aria-label=" in raw or "title=" in raw)


class Candidate(NamedTuple):
    """An element that counts, and the name of its image."""

    element: int
    name: str
    attributes: Mapping[str, str]


def may_show(markup: str) -> bool:
    """Whether a page could name an image at all: in an `img`, a `meta` or JSON-LD, however they are written."""
    if "<img" in markup:
        return True
    lowered = markup.lower()
    return any(sign in lowered for sign in ("img", "image", "json"))  # the parser reads <image> as <img>


class Candidates:
    """Finds the images of one page, whose addresses are relative to `base`, and counts what it leaves out."""

    def __init__(
        self, outline: Outline, base: str, rules: WebRules, resolve: Resolve, *, backgrounds: bool = False
    ) -> None:
        self._outline, self._base, self._rules, self._resolve = outline, base, rules, resolve
        self._backgrounds = backgrounds
        self.skipped = Counter[str]()
        self._in_navigation = Inherited(outline, chrome(outline)).marks
        self._known = dict[str, tuple[str, str | None]]()

    def found(self) -> list[Candidate]:
        """In the order of the page."""
        found = list[Candidate]()
        for element in self._elements():
            if self._in_navigation(self._outline.parents[element]):
                self.skipped["image: in the navigation"] += 1
                continue
            attributes = self._outline.attributes(element)
            if self._outline.tags[element] not in _IMAGES:
                attributes = {**attributes, "src": background_address(attributes.get("style", ""))}
            name, reason = self._name(element, attributes)
            if not reason and len(found) >= self._rules.max_images_per_page:
                reason = "image: too many on one page"
            if reason:
                self.skipped[reason] += 1
            else:
                found.append(Candidate(element, name, attributes))
        return found

    def _elements(self) -> list[int]:
        """The elements of images, and where the page has any those that a style makes one (`role="img"`)."""
        elements = self._outline.elements(*_IMAGES)
        if not self._backgrounds:
            return elements
        return sorted({*elements, *self._outline.saying(_shows_background)})

    def alternatives(self, found: Candidate) -> list[str]:
        """The names under which the page offers the same image besides."""
        written = image_addresses(found.attributes, self._picture_sources(found.element))
        if len(written) < 2:
            return []
        names = (self._resolve(self._base, address) for address in written[:_MOST_ALTERNATIVES])
        return list(dict.fromkeys(name for name in names if name and name != found.name))

    def usable(self, address: str) -> str:
        """The name of an image that something other than an element names, "" if it is not worth it."""
        if not address:
            return ""
        name, reason = self._judged(address, {})
        if reason:
            self.skipped["image: no usable address" if reason == "image: data URI" else reason] += 1
        return "" if reason else name

    def _name(self, element: int, attributes: Mapping[str, str]) -> tuple[str, str | None]:
        sources = self._picture_sources(element)
        if sources:
            return self._judged(_written(attributes, sources), attributes)
        raw = self._outline.raw[element]  # a page shows one icon many times
        if raw not in self._known:
            self._known[raw] = self._judged(_written(attributes, ""), attributes)
        return self._known[raw]

    def _judged(self, written: str, attributes: Mapping[str, str]) -> tuple[str, str | None]:
        if not written:
            return "", "image: no address"
        if written[:5].lower() == "data:":
            return "", "image: data URI"
        name = self._resolve(self._base, written)
        if not name:
            return "", "image: no usable address"
        return name, junk_reason(name, attributes, self._rules)

    def _picture_sources(self, image: int) -> str:
        """The srcset of the first `source` whose format is read everywhere, else of the first that can be read here."""
        outline = self._outline
        parent = outline.parents[image]
        if parent < 0 or outline.tags[parent] != "picture":
            return ""
        found = dict[str, str]()
        for source in outline.children(parent):
            said = outline.attributes(source) if outline.tags[source] == "source" else {}
            media = said.get("type", "").partition(";")[0].strip().lower()
            if written := said.get("srcset") or said.get("data-srcset"):
                found.setdefault(media, written)
        readable = [media for media in found if media in _READ_EVERYWHERE]
        readable += [media for media in found if media in _READ_MOSTLY]
        return found[readable[0]] if readable else ""


def _written(attributes: Mapping[str, str], sources: str) -> str:
    """The image's own address if it has one that is not inline, else that of its `picture`."""
    own = image_address(attributes)
    if sources and (not own or own[:5].lower() == "data:" or is_stand_in(own)):
        return image_address({}, sources) or own
    return own
