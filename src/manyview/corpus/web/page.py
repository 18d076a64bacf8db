"""Page: one web page as its images, each with everything the page says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import islice
from typing import NamedTuple

from manyview.corpus.web.address import absolute
from manyview.corpus.web.answers import Answers
from manyview.corpus.web.candidates import Candidate, Candidates, Resolve, may_show
from manyview.corpus.web.captions import Captions
from manyview.corpus.web.category import breadcrumbs, joined_trail
from manyview.corpus.web.context import Surroundings
from manyview.corpus.web.filename import filename_words
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.guard import explosive
from manyview.corpus.web.headings import Headings
from manyview.corpus.web.language import text_language
from manyview.corpus.web.linked_data import LinkedData, read_linked_data
from manyview.corpus.web.metadata import read_metadata
from manyview.corpus.web.outline import Outline, squeezed
from manyview.corpus.web.titles import page_title, unnumbered

__all__ = ["Page", "PageImage", "PageText", "read_page"]

_LONGEST_TEXT = 20_000
_RULES = WebRules()
_PICTURES = ("og:image", "og:image:url", "og:image:secure_url", "twitter:image", "twitter:image:src", "image_src")
_SAMPLED, _SENTENCE = 60, 40


@Answers
def _names_language(raw: str) -> bool:
    return "lang=" in raw


class PageText(NamedTuple):
    """One thing a page says about an image."""

    kind: str
    text: str
    lang: str


class PageImage(NamedTuple):
    """An image of a page: the name the resolver gave it, its absolute URL by default."""

    id: str
    texts: tuple[PageText, ...]


@dataclass(frozen=True)
class Page:
    """The images of a page, each once, in the order of the page; and what was left out, by reason.

    `alternatives` are the other names under which it offers an image, where they were asked for.

    A page without images has neither title nor language: nobody asks for them, and most of a crawl is such pages.
    """

    title: str = ""
    lang: str = ""
    images: tuple[PageImage, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)
    alternatives: tuple[tuple[str, str], ...] = ()


def read_page(
    markup: str,
    url: str = "",
    rules: WebRules | None = None,
    resolve: Resolve = absolute,
    *,
    alternatives: bool = False,
) -> Page:
    """The page's images with their views `alt`, `caption`, `heading`, `context`, `title`, `category`, `filename`.

    `resolve(base, address)` names the image that an address means on a page with that base, "" if none. Broken
    markup is repaired as browsers do; what cannot be used is counted in `skipped`. With `alternatives` the page says
    under which other names it offers an image (`srcset`, `picture`).
    """
    if explosive(markup):
        return Page(skipped=Counter({"page: markup that would explode": 1}))
    if not may_show(markup):
        return Page()
    backgrounds = "url(" in markup and "role" in markup
    return _Reading(Outline.parse(markup), url, rules or _RULES, resolve, backgrounds).page(alternatives)


class _Reading:
    """The state of reading one page; what only pages with images need is worked out when it is asked for."""

    def __init__(self, outline: Outline, url: str, rules: WebRules, resolve: Resolve, backgrounds: bool) -> None:
        self._outline, self._url, self._rules = outline, url, rules
        self._meta = read_metadata(outline, url)
        self._data = read_linked_data(outline.linked_data) if outline.linked_data else LinkedData()
        self._candidates = Candidates(outline, self._meta.base, rules, resolve, backgrounds=backgrounds)
        self._found = self._candidates.found()
        self._skipped = self._candidates.skipped
        self._filename = cache(filename_words)
        self._judged = dict[tuple[str, str, str], PageText | str]()

    def page(self, alternatives: bool) -> Page:
        texts = dict[str, list[PageText]]()
        for image in self._found:
            said = self._texts(image.name, self._said_in_markup(image), self._language_at(image.element))
            texts.setdefault(image.name, []).extend(said)
        for name, data in self._said_in_data():
            if name in texts or len(texts) < self._rules.max_images_per_page:
                texts.setdefault(name, []).extend(self._texts(name, data, self._lang))
        images = list[PageImage]()
        for name, found in texts.items():
            if found:
                images.append(PageImage(name, tuple(dict.fromkeys(found))))
            else:
                self._skipped["image: nothing said about it"] += 1
        if not images:
            return Page(skipped=self._skipped)
        pairs = (
            [(of.name, name) for of in self._found for name in self._candidates.alternatives(of)]
            if alternatives
            else []
        )
        return Page(self._title, self._lang, tuple(images), self._skipped, tuple(pairs))

    @cached_property
    def _headings(self) -> Headings:
        return Headings(self._outline, [image.element for image in self._found])

    @cached_property
    def _captions(self) -> Captions:
        return Captions(self._outline, [image.element for image in self._found])

    @cached_property
    def _around(self) -> Surroundings:
        return Surroundings(self._outline, self._headings, self._captions, self._rules.max_context_chars)

    @cached_property
    def _mains(self) -> tuple[str, ...]:
        return tuple(self._outline.text(element) for element in self._headings.main[:3])

    @cached_property
    def _title(self) -> str:
        meta = self._meta
        said = meta.said.get("og:title") or meta.title or next(iter(self._mains), "")
        return page_title(said, meta.site or self._data.site, self._url or meta.base, self._mains)

    @cached_property
    def _category(self) -> str:
        return joined_trail(self._data.trail or breadcrumbs(self._outline), self._title, self._mains)

    def _said_in_markup(self, image: Candidate) -> Iterator[tuple[str, str]]:
        element, attributes = image.element, image.attributes
        section = self._headings.section(element)
        alt = attributes.get("alt") or attributes.get("title") or attributes.get("aria-label", "")
        yield "alt", squeezed(alt)
        for caption in self._captions.of(element) or (squeezed(attributes.get("data-caption", "")),):
            yield "caption", caption
        if section.heading >= 0:
            yield "heading", unnumbered(self._outline.text(section.heading))
        yield "context", self._around.of(element, section)

    def _said_in_data(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Images that JSON-LD or Open Graph name, on the page or not."""
        for thing in self._data.pictured:
            name = self._candidates.usable(thing.address)
            if name:
                yield name, [(kind, getattr(thing, kind)) for kind in ("caption", "title", "context", "category")]
        said = self._meta.said
        name = self._candidates.usable(next((said[of] for of in _PICTURES if said.get(of)), ""))
        if name:
            context = said.get("og:description") or said.get("description", "")
            on_page = any(name == image.name for image in self._found)
            yield name, [("alt", said.get("og:image:alt", "")), ("context", "" if on_page else context)]

    def _texts(self, name: str, said: Iterable[tuple[str, str]], own_lang: str) -> list[PageText]:
        """The views of an image that the rules let pass, those of the whole page included."""
        judged = [
            self._judge(kind, text, own_lang if kind in ("alt", "caption") else self._lang)
            for kind, text in said
            if text
        ]
        judged += self._of_page
        if words := self._filename(name):
            judged.append(self._judge("filename", words, self._lang))
        kept = [of for of in judged if isinstance(of, PageText)]
        if len(kept) < len(judged):
            self._skipped.update(of for of in judged if isinstance(of, str))
        return kept

    @cached_property
    def _of_page(self) -> list[PageText | str]:
        """What the whole page says of each of its images."""
        said = (("title", self._title), ("category", self._category))
        return [self._judge(kind, text, self._lang) for kind, text in said if text]

    def _judge(self, kind: str, text: str, declared: str) -> PageText | str:
        """The text as a view, or the name of the rule that rejects it."""
        text = text[:_LONGEST_TEXT]
        key = (kind, text, declared)
        found = self._judged.get(key)
        if found is None:
            lang = "" if kind == "filename" else text_language(text, declared)
            found = self._rules.reject_text(text, kind, lang) or PageText(kind, text, lang)
            self._judged[key] = found
        return found

    @cached_property
    def _spoken(self) -> dict[int, str]:
        """The elements that declare a language, and which."""
        outline = self._outline
        return {of: outline.get(of, "lang") or outline.get(of, "xml:lang") for of in outline.saying(_names_language)}

    @cached_property
    def _spoken_inside(self) -> dict[int, str]:
        """Those that are not the whole page."""
        tags, get = self._outline.tags, self._outline.get
        return {of: get(of, "lang") for of in self._spoken if tags[of] not in ("html", "body")}

    @cached_property
    def _lang(self) -> str:
        outline, said = self._outline, self._meta.said
        declared = next((of for at, of in self._spoken.items() if of and at not in self._spoken_inside), "")
        declared = declared or said.get("content-language") or said.get("og:locale", "")
        texts = (outline.between(begin, min(end, begin + 40)) for begin, end, _ in outline.runs[:_SAMPLED])
        prose = islice((text for text in texts if len(text) >= _SENTENCE), 2)
        return text_language(" ".join(prose)[:400] or self._title, declared)

    def _language_at(self, element: int) -> str:
        """The language that the element or what it stands in declares, else the page's."""
        spoken = self._spoken_inside
        if spoken:
            for of in (element, *self._outline.ancestors(element)):
                if of in spoken:
                    return spoken[of] or self._lang
        return self._lang
