"""Laws of the page: it loads nothing, runs nothing, and shows texts as texts."""

from html.parser import HTMLParser
from pathlib import Path

import pytest
from tests.corpus.doctor.corpora import corpus_of, picture, record, sound

from manyview.corpus import Text
from manyview.corpus.doctor import Limits, diagnose, examine
from manyview.corpus.doctor.page import render_page

EVIL = "<script>alert('x')</script>\"><img src=http://evil.example/x onerror=alert(1)>"
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Checks that tags close in order; collects tags, addresses and texts."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.events: list[str] = []
        self.anchors: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href"):
                self.addresses.append(value or "")
            if name.startswith("on"):
                self.events.append(name)
            if name == "id":
                self.anchors.add(value or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def parsed(page: str) -> Page:
    parser = Page()
    parser.feed(page)
    parser.close()
    assert not parser.open
    return parser


@pytest.fixture(scope="module")
def evil(tmp_path_factory: pytest.TempPathFactory) -> Page:
    records = [
        record(number, [Text("title", EVIL, EVIL), Text(EVIL, "x", "en")], source=EVIL, license=EVIL, group=EVIL)
        for number in range(40)
    ]
    records += [record(50 + number, image=data) for number, data in enumerate((b"", picture(3)[:90]))]
    folder = tmp_path_factory.mktemp("corpus")
    corpus_of(folder, {"train": records, "test": [record(90, id=EVIL, group=EVIL, image=picture(0))]})
    return parsed(diagnose(str(folder)).page())


def test_what_a_corpus_says_stays_text(evil: Page) -> None:
    assert "script" not in evil.tags
    assert not evil.events
    assert EVIL in evil.text


def test_pictures_are_inside_and_links_lead_to_sections(evil: Page) -> None:
    inside = [address for address in evil.addresses if address.startswith("data:image/jpeg;base64,")]
    links = [address for address in evil.addresses if address.startswith("#")]
    assert inside
    assert len(inside) + len(links) == len(evil.addresses)
    assert {link[1:] for link in links} <= evil.anchors


def test_the_finding_of_each_check_is_on_the_page(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, {"train": [*sound(9), record(9, image=b"")], "test": [record(10, group="g3")]})
    examination = examine(corpus)
    page = parsed(render_page(examination, {}))
    assert len(examination.findings) >= 2
    for finding in examination.findings:
        assert " ".join(finding.what.split()) in " ".join(page.text.split())
        assert finding.change in page.text
    assert "Do not train on this yet" in page.text


def test_the_formula_is_stated_and_every_batch_size_that_fits_is_drawn(tmp_path: Path) -> None:
    found = examine(corpus_of(tmp_path, {"train": sound(40)}), Limits(batch_sizes=(8, 32, 64)))
    page = parsed(render_page(found, {}))
    assert "C(N − ct, B − 1) / C(N − 1, B − 1)" in page.text
    assert [size for size, _ in found.false_negatives[0].shares] == [8, 32]


def test_seventy_kinds_still_make_a_page(tmp_path: Path) -> None:
    texts = [Text(f"kind{number}", f"text {number}") for number in range(70)]
    found = examine(corpus_of(tmp_path, {"train": [record(number, texts) for number in range(4)]}))
    assert len(found.kinds) == 64
    assert {"(further kinds)"} < {kind.name for kind in found.kinds}
    parsed(render_page(found, {}))
