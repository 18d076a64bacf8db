"""Web pages: right alt, caption, title, heading and context on a real manual, and pages a second against trafilatura.

    python benchmarks/pages.py FOLDER [FOLDER ...] [--pages 120] [--repeat 3] [--write]

FOLDER holds the HTML of a DocBook manual, such as usr/share/gimp/2.0/help/en of Debian's gimp-help-en and
usr/share/gimp/2.0/help/zh_CN of gimp-help-zh-cn (apt-get download, dpkg-deb -x). What is right is read from the
classes that DocBook's stylesheets leave (figure, mediaobject, caption, sect2, titlepage, para), with lxml and
without anything of the code under test. Speed: one thread, CPU seconds, interleaved, from bytes, other pages in each
round; ours with all views, rules and languages. trafilatura is timed twice: as it comes, when it gives the page's main
text and no image at all, and with images and metadata, the call that gives what comes nearest to the same.
"""

import argparse
import re
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import lxml.html
import trafilatura
from lxml.html import HtmlElement
from page import show

from manyview.corpus.web import PageImage, WebRules, read_page
from manyview.corpus.web.charset import page_text

_BASE = "http://manual.example/help/"
_FIELDS = ("found", "alt", "caption", "title", "heading", "context")
_SECTIONS = re.compile(
    r"^(?:sect[1-5]|section|chapter|appendix|preface|part|book|glossary|bibliography|index|article|refentry|glossdiv)$"
)
_LABEL = re.compile(r"^(?:Figure|图|圖)\s*[\d.]+\s*[.。]?\s*")
_NUMBER = re.compile(r"^\d+(?:\.\d+)+\.?\s+")
_EVERYTHING = WebRules(
    min_letters=0,
    min_words=0,
    max_words=10**6,
    max_capitalized_share=1,
    max_repeated_share=1,
    min_letter_share=0,
    max_word_letters=10**6,
    boilerplate=(),
    min_side_px=4,
    max_aspect=10**6,
    max_context_chars=10**6,
)


@dataclass(frozen=True)
class Truth:
    """What the manual's structure says of one figure; context is the nearest paragraph before, and after."""

    address: str
    alt: str
    captions: frozenset[str]
    title: str
    heading: str
    context: tuple[str, str]


def main() -> None:
    """Both manuals, both questions."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--pages", type=int, default=120, help="pages of each manual that are timed")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--wrong", type=int, default=0, help="print so many mistakes of each field")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    given = parser.parse_args()
    rows = list[list[str]]()
    timed: list[list[bytes]] = [[] for _ in range(given.repeat)]
    for folder in given.folders:
        pages = [file.read_bytes() for file in sorted(folder.glob("*.html"))]
        for number, sample in enumerate(timed):  # other pages in each round: what was read once may be remembered
            sample.extend(pages[number :: max(given.repeat, len(pages) // given.pages)][: given.pages])
        right, figures = judged(pages, given.wrong)
        shares = [f"{100 * right[field] / max(1, figures):.2f} %" for field in _FIELDS]
        rows.append([folder.name, f"{len(pages)}", f"{figures}", *shares])
    show("pages-right", "Figures right", ["manual", "pages", "figures", *_FIELDS], rows, write=given.write)
    show("pages-speed", *speed(timed), write=given.write)


def judged(pages: Sequence[bytes], most_wrong: int) -> tuple[Counter[str], int]:
    """How many figures have each field right, and how many there are."""
    right, figures, shown = Counter[str](), 0, Counter[str]()
    for data in pages:
        found = {image.id: image for image in read_page(page_text(data), _BASE, _EVERYTHING).images}
        for truth in truths(data):
            figures += 1
            image = found.get(truth.address)
            verdict = {"found": image is not None} | (agreement(truth, image) if image else {})
            right.update(field for field, so in verdict.items() if so)
            for field in _FIELDS:
                if not verdict.get(field) and shown[field] < most_wrong:
                    shown[field] += 1
                    print(field, truth, image, sep="\n    ")
    return right, figures


def agreement(truth: Truth, image: PageImage) -> dict[str, bool]:
    """Which fields say what the structure says, letter for letter."""

    def said(kind: str) -> list[str]:
        return [text.text for text in image.texts if text.kind == kind]

    expected = " ".join(filter(None, truth.context))
    return {
        "alt": truth.alt in said("alt") if truth.alt else not said("alt"),
        "caption": truth.captions <= set(said("caption")) and (bool(truth.captions) or not said("caption")),
        "title": said("title") == [truth.title],
        "heading": truth.heading in said("heading"),
        "context": expected in said("context") if expected else not said("context"),
    }


def truths(data: bytes) -> Iterator[Truth]:
    """The images of the page's figures and media objects."""
    page = lxml.html.document_fromstring(data, parser=lxml.html.HTMLParser(encoding="utf-8"))
    title = _NUMBER.sub("", plain(page.find(".//title")))
    for image in page.iter("img"):
        above = list(image.iterancestors())
        boxes = [of for of in above if of.get("class") in ("figure", "informalfigure", "mediaobject", "screenshot")]
        if not boxes or not any(_is_section(of) for of in above):
            continue
        section = next(of for of in above if _is_section(of))
        yield Truth(
            urljoin(_BASE, image.get("src", "")),
            plain_text(image.get("alt", "")),
            captions(boxes),
            title,
            heading(section),
            context(image, boxes[-1], section),
        )


def captions(boxes: Sequence[HtmlElement]) -> frozenset[str]:
    """The caption of the media object and the title of the figure."""
    found = [of for box in boxes for of in box if of.get("class") in ("caption", "title")]
    return frozenset(filter(None, (_LABEL.sub("", plain(of)) for of in found)))


def heading(section: HtmlElement) -> str:
    """The title on the section's own title page."""
    for page in section:
        if page.get("class") == "titlepage":
            titles = [of for of in page.iter("h1", "h2", "h3", "h4", "h5", "h6") if "title" in of.get("class", "")]
            return _NUMBER.sub("", plain(titles[0])) if titles else ""
    return ""


def context(image: HtmlElement, figure: HtmlElement, section: HtmlElement) -> tuple[str, str]:
    """The section's own paragraphs nearest to the figure, in the smallest element around it that has one."""
    order = {element: place for place, element in enumerate(section.iter())}
    inside = {element for element in figure.iter() if element is not figure}
    within = next((of for of in image.iterancestors() if of.tag == "p"), None)
    paragraphs = [of for of in section.iter("p") if of not in inside and _is_prose(of, section)]
    if within is not None and within in paragraphs:
        return plain(within), ""
    for around in figure.iterancestors():
        here = [of for of in paragraphs if around in of.iterancestors()]
        before = [of for of in here if order[of] < order[figure]]
        after = [of for of in here if order[of] > order[figure]]
        if before or after:
            return plain(before[-1]) if before else "", plain(after[0]) if after else ""
        if around is section:
            return "", ""
    return "", ""


def _is_section(element: HtmlElement) -> bool:
    return element.tag == "div" and bool(_SECTIONS.match(element.get("class", "")))


def _is_prose(paragraph: HtmlElement, section: HtmlElement) -> bool:
    """A paragraph of this very section that is no title, no caption, and says more than a few words."""
    for above in paragraph.iterancestors():
        if above is section:
            break
        if _is_section(above) or above.get("class") in ("caption", "figure", "informalfigure", "toc"):
            return False
    letters = [of for of in plain(paragraph) if of.isalpha()]
    weight = sum(2.5 if "\u3040" <= of <= "\u9fff" else 1 for of in letters)
    return paragraph.get("class") != "title" and weight >= 25


def plain(element: HtmlElement | None) -> str:
    return "" if element is None else plain_text(element.text_content())


def plain_text(text: str) -> str:
    return " ".join(re.sub("[\u00ad\u200b\u2060\ufeff]", "", text).split())


def speed(samples: Sequence[Sequence[bytes]]) -> tuple[str, Sequence[str], list[list[str]]]:
    """Pages a CPU second, medians over the rounds, and the ratio in each round; each has pages of its own."""
    ways: dict[str, Callable[[bytes], object]] = {
        "trafilatura.extract(page)": trafilatura.extract,
        "trafilatura.extract(page, include_images=True, with_metadata=True)": lambda data: trafilatura.extract(
            data, include_images=True, with_metadata=True
        ),
        "manyview: read_page(page_text(page), url)": lambda data: read_page(page_text(data), _BASE),
    }
    for way in ways.values():
        for data in samples[0][:10]:  # loads what is loaded once
            way(data)
    found: dict[str, list[float]] = {name: [] for name in ways}
    for pages in samples:
        for name, way in ways.items():
            start = time.process_time()
            for data in pages:
                way(data)
            found[name].append(len(pages) / (time.process_time() - start))
    rows = list[list[str]]()
    for name, rates in found.items():
        cells = [name, f"{statistics.median(rates):,.0f}"]
        for other in list(ways)[:2]:
            ratios = [of / than for of, than in zip(rates, found[other], strict=True)]
            cells.append(f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})")
        rows.append(cells)
    sizes = [len(data) for pages in samples for data in pages]
    title = f"{len(sizes)} pages of {sum(sizes) / len(sizes) / 1000:.0f} kB, medians of {len(samples)} rounds"
    columns = ["", "pages a CPU second", "times text alone", "times text with images and metadata"]
    return title, columns, rows


if __name__ == "__main__":
    main()
