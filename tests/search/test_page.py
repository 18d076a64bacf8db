import re
from html.parser import HTMLParser

from manyview.search import Encoder, Hit, Index, render_page, search


class Page(HTMLParser):
    """Every attribute and the visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data.strip())

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def test_the_page_shows_the_query_and_every_hit_in_order(model: Encoder, index: Index) -> None:
    hits = search(model, index, text="黑色", top=4)
    page = Page(render_page(hits, total=len(index), text="黑色", about="a model of colors"))
    for hit in hits:
        assert {hit.id, hit.title, f"{hit.score:.3f}", *(title for _, title in hit.titles)} <= set(page.text)
    shown = [text for text in page.text if text in {hit.id for hit in hits}]
    assert shown == [hit.id for hit in hits]
    assert page.text.count("黑色") >= 1
    assert any("the 4 closest of 12" in text for text in page.text)
    assert any(text.startswith("a model of colors") for text in page.text)
    assert any(hits[0].attribution in text for text in page.text)


def test_the_page_asks_no_server_for_anything(model: Encoder, index: Index) -> None:
    hits = search(model, index, text="red")
    html = render_page(hits, total=len(index), text="red")
    page = Page(html)
    sources = [attributes["src"] or "" for attributes in page.attributes("img")]
    assert len(sources) == len(hits)
    assert all(source.startswith("data:image/webp;base64,") for source in sources)
    assert not page.attributes("script") + page.attributes("link")
    assert not re.search(r"https?:|@import|url\(", html)


def test_a_picture_that_was_asked_for_is_on_the_page(model: Encoder, index: Index) -> None:
    hits = search(model, index, text="red", top=2)
    page = Page(render_page(hits, total=len(index), image=hits[0].thumbnail))
    assert len(page.attributes("img")) == 1 + len(hits)


def test_what_people_wrote_cannot_become_markup() -> None:
    evil = '"><script>alert(1)</script>&'
    hit = Hit(1, 0.5, evil, ((evil, evil),), evil, evil, evil, evil, b"")
    page = Page(render_page([hit], total=1, text=evil, about=evil))
    assert not page.attributes("script")
    assert page.attributes("img")[0]["alt"] == evil
    assert evil in page.text


def test_hits_without_a_positive_score_and_no_hits_make_a_page_too() -> None:
    hit = Hit(1, -0.25, "x", (), "test", "", "", "", b"")
    assert "-0.250" in Page(render_page([hit], total=1, text="x")).text
    assert "nothing found" in Page(render_page([], total=0, text="x")).text


def titles(hit: Hit, languages: tuple[str, ...]) -> list[tuple[str | None, str | None]]:
    html = render_page([hit], total=1, text="猫", languages=languages)
    shown = [p for p in Page(html).attributes("p") if p.get("class") in ("title", "also")]
    return [(p["class"], p.get("lang")) for p in shown]


def test_titles_are_shown_in_the_languages_asked_for_and_say_which() -> None:
    hit = Hit(1, 0.5, "x", (("en", "cat"), ("zh", "猫"), ("de", "Katze")), "test", "", "", "", b"")
    assert titles(hit, ("zh", "en")) == [("title", "zh"), ("also", "en")]
    assert titles(hit, ("fr",)) == [("title", "en")]
    assert titles(Hit(1, 0.5, "x", (("", "cat"),), "test", "", "", "", b""), ("en",)) == [("title", None)]
