"""Page: one web page as its images, each with everything the page says about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from manyview.corpus.web.address import absolute, image_address
from manyview.corpus.web.captions import Captions
from manyview.corpus.web.category import breadcrumbs, joined_trail
from manyview.corpus.web.context import Surroundings
from manyview.corpus.web.filename import filename_words
from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.guard import explosive
from manyview.corpus.web.headings import Headings
from manyview.corpus.web.junk import in_navigation, junk_reason
from manyview.corpus.web.language import text_language
from manyview.corpus.web.linked_data import LinkedData, read_linked_data
from manyview.corpus.web.metadata import read_metadata
from manyview.corpus.web.outline import Outline, squeezed
from manyview.corpus.web.titles import page_title, unnumbered

__all__ = ["Page", "PageImage", "PageText", "read_page"]

Resolve = Callable[[str, str], str]
_UNUSABLE = ("image/avif", "image/svg+xml")
_LONGEST_TEXT = 20_000
_SAMPLED, _SENTENCE = 60, 40
_IMAGES = frozenset(("img", "amp-img"))


@dataclass(frozen=True)
class PageText:
    """One thing a page says about an image."""

    kind: str
    text: str
    lang: str


@dataclass(frozen=True)
class PageImage:
    """An image of a page: the name the resolver gave it, its absolute URL by default."""

    id: str
    texts: tuple[PageText, ...]


@dataclass(frozen=True)
class Page:
    """The images of a page, each once, in the order of the page; and what was left out, by reason."""

    title: str = ""
    lang: str = ""
    images: tuple[PageImage, ...] = ()
    skipped: Counter[str] = field(default_factory=Counter)


def read_page(markup: str, url: str = "", rules: WebRules | None = None, resolve: Resolve = absolute) -> Page:
    """The page's images with their views `alt`, `caption`, `heading`, `context`, `title`, `category`, `filename`.

    `resolve(base, address)` names the image that an address means on a page with that base, "" if none. Broken
    markup is repaired as browsers do; what cannot be used is counted in `skipped`.
    """
    rules = rules or WebRules()
    if explosive(markup):
        return Page(skipped=Counter({"page: markup that would explode": 1}))
    return _Reading(Outline.parse(markup), url, rules, resolve).page()


class _Reading:
    """The state of reading one page."""

    def __init__(self, outline: Outline, url: str, rules: WebRules, resolve: Resolve) -> None:
        self._outline, self._rules, self._resolve = outline, rules, resolve
        self._skipped = Counter[str]()
        self._meta = read_metadata(outline, url)
        self._data = read_linked_data(outline.linked_data) if outline.linked_data else LinkedData()
        self._found = self._images()
        elements = [element for element, _ in self._found]
        self._headings = Headings(outline, elements)
        mains = tuple(outline.text(element) for element in self._headings.main[:3])
        site = self._meta.site or self._data.site
        said = self._meta.said.get("og:title") or self._meta.title or next(iter(mains), "")
        self._title = page_title(said, site, url or self._meta.base, mains)
        self._category = joined_trail(self._data.trail or breadcrumbs(outline), self._title, mains)
        self._captions = Captions(outline, elements)
        self._around = Surroundings(outline, self._headings, self._captions, rules.max_context_chars)
        self._spoken = [element for element, raw in enumerate(outline.raw) if "lang=" in raw]
        self._lang = self._page_language()
        self._judged = dict[tuple[str, str, str], PageText | str]()

    def page(self) -> Page:
        texts = dict[str, list[PageText]]()
        for element, name in self._found:
            texts.setdefault(name, []).extend(self._texts(name, self._said_in_markup(element), element))
        for name, said in self._said_in_data():
            if name in texts or len(texts) < self._rules.max_images_per_page:
                texts.setdefault(name, []).extend(self._texts(name, said))
        images = list[PageImage]()
        for name, found in texts.items():
            if found:
                images.append(PageImage(name, tuple(dict.fromkeys(found))))
            else:
                self._skipped["image: nothing said about it"] += 1
        return Page(self._title, self._lang, tuple(images), self._skipped)

    def _images(self) -> list[tuple[int, str]]:
        """Elements that count and the names of their images."""
        found = list[tuple[int, str]]()
        for element, tag in enumerate(self._outline.tags):
            if tag not in _IMAGES:
                continue
            name, reason = self._name(element)
            if not reason and len(found) >= self._rules.max_images_per_page:
                reason = "image: too many on one page"
            if reason:
                self._skipped[reason] += 1
            else:
                found.append((element, name))
        return found

    def _name(self, element: int) -> tuple[str, str | None]:
        if in_navigation(self._outline, element):
            return "", "image: in the navigation"
        attributes = self._outline.attributes(element)
        written = image_address(attributes) or image_address({}, self._picture_sources(element))
        if written[:5].lower() == "data:":
            written = image_address({}, self._picture_sources(element)) or written
        if not written:
            return "", "image: no address"
        if written[:5].lower() == "data:":
            return "", "image: data URI"
        name = self._resolve(self._meta.base, written)
        if not name:
            return "", "image: no usable address"
        return name, junk_reason(name, attributes, self._rules)

    def _picture_sources(self, image: int) -> str:
        """The srcset of the first `source` whose format decoders read everywhere."""
        outline = self._outline
        parent = outline.parents[image]
        if parent < 0 or outline.tags[parent] != "picture":
            return ""
        for source in outline.children(parent):
            said = outline.attributes(source)
            usable = outline.tags[source] == "source" and said.get("type", "") not in _UNUSABLE
            if usable and (found := said.get("srcset") or said.get("data-srcset", "")):
                return found
        return ""

    def _said_in_markup(self, image: int) -> Iterator[tuple[str, str]]:
        attributes = self._outline.attributes(image)
        section = self._headings.section(image)
        alt = attributes.get("alt", "") or attributes.get("title", "") or attributes.get("aria-label", "")
        yield "alt", squeezed(alt)
        captions = self._captions.of(image) or (squeezed(attributes.get("data-caption", "")),)
        for caption in captions:
            yield "caption", caption
        if section.heading >= 0:
            yield "heading", unnumbered(self._outline.text(section.heading))
        yield "context", self._around.of(image, section)

    def _said_in_data(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Images that JSON-LD or Open Graph name, on the page or not."""
        for thing in self._data.pictured:
            name = self._usable(thing.address)
            if name:
                yield name, [(kind, getattr(thing, kind)) for kind in ("caption", "title", "context", "category")]
        said = self._meta.said
        name = self._usable(said.get("og:image", "") or said.get("twitter:image", ""))
        if name:
            context = said.get("og:description") or said.get("description", "")
            on_page = any(name == of for _, of in self._found)
            yield name, [("alt", said.get("og:image:alt", "")), ("context", "" if on_page else context)]

    def _usable(self, address: str) -> str:
        if not address:
            return ""
        name = "" if address[:5].lower() == "data:" else self._resolve(self._meta.base, address)
        reason = junk_reason(name, {}, self._rules) if name else "image: no usable address"
        if reason:
            self._skipped[reason] += 1
        return "" if reason else name

    def _texts(
        self, name: str, said: Iterator[tuple[str, str]] | list[tuple[str, str]], element: int = -1
    ) -> Iterator[PageText]:
        """The views of an image that the rules let pass, those of the whole page included."""
        own_lang = self._language_at(element)
        of_page = (("title", self._title), ("category", self._category), ("filename", filename_words(name)))
        for kind, text in (*said, *of_page):
            if text:
                lang = own_lang if kind in ("alt", "caption") else self._lang
                judged = self._judge(kind, text[:_LONGEST_TEXT], lang)
                if isinstance(judged, PageText):
                    yield judged
                else:
                    self._skipped[judged] += 1

    def _judge(self, kind: str, text: str, declared: str) -> PageText | str:
        """The text as a view, or the name of the rule that rejects it."""
        key = (kind, text, declared)
        if key not in self._judged:
            lang = "" if kind == "filename" else text_language(text, declared)
            self._judged[key] = self._rules.reject_text(text, kind, lang) or PageText(kind, text, lang)
        return self._judged[key]

    def _page_language(self) -> str:
        outline = self._outline
        roots = [of for of in self._spoken if outline.tags[of] in ("html", "body")]
        declared = next((lang for of in roots if (lang := outline.get(of, "lang") or outline.get(of, "xml:lang"))), "")
        said = self._meta.said
        declared = declared or said.get("content-language") or said.get("og:locale", "")
        texts = (outline.between(begin, min(end, begin + 40)) for begin, end, _ in outline.runs[:_SAMPLED])
        prose = islice((text for text in texts if len(text) >= _SENTENCE), 2)
        return text_language(" ".join(prose)[:400] or self._title, declared)

    def _language_at(self, element: int) -> str:
        """The language that the element or what it stands in declares, else the page's."""
        outline = self._outline
        if element >= 0 and len(self._spoken) > 1:
            spoken = set(self._spoken)
            for of in (element, *outline.ancestors(element)):
                if of in spoken and outline.tags[of] not in ("html", "body"):
                    return outline.get(of, "lang") or self._lang
        return self._lang
