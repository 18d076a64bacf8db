import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

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


@pytest.mark.parametrize("thumbnail", [b"", b"a picture"])
def test_what_people_wrote_cannot_become_markup(thumbnail: bytes) -> None:
    evil = '"><script>alert(1)</script>&'
    told = ((evil, evil, evil),)
    hit = Hit(1, 0.5, evil, ((evil, evil),), evil, evil, evil, evil, thumbnail, {evil: 0.25}, told)
    for by in ("record", evil):
        page = Page(render_page([hit], total=1, text=evil, about=evil, by=by, weights={evil: 2.0}))
        assert not page.attributes("script")
        assert [image["alt"] for image in page.attributes("img")] == [evil] * bool(thumbnail)
        assert page.text.count(evil) >= 4


def bars(page: Page) -> list[tuple[str, str, float]]:
    """(name, number, width in percent) of every bar."""
    shown = [text for text in page.text if text]
    widths = [
        float(attributes["style"].removeprefix("width: ").removesuffix("%"))  # type: ignore[union-attr]
        for attributes in page.attributes("span")
        if "style" in attributes
    ]
    numbers = [i for i, text in enumerate(shown) if re.fullmatch(r"-?\d\.\d\d\d?", text)]
    return [(shown[i - 1], shown[i], width) for i, width in zip(numbers, widths, strict=True)]


def test_each_hit_shows_a_bar_for_what_ranked_it_and_for_each_of_its_views() -> None:
    views = {"image": 0.5, "title": 0.8, "tags": -0.1}
    hit = Hit(1, 1.0, "x", (("en", "cat"),), "test", "", "", "", b"", views, (("tags", "en", "pet · fur"),))
    page = Page(render_page([hit], total=1, text="dog", weights={"image": 1.0, "title": 0.5}))
    assert bars(page) == [
        ("record", "1.000", 100.0),
        ("picture", "0.50", 50.0),
        ("title", "0.80", 80.0),
        ("tags", "-0.10", 0.0),
    ]
    assert "pet · fur" in page.text
    assert any("picture × 1, title × 0.5" in text for text in page.text)
    assert any(text.endswith("the 1 closest of 1") for text in page.text)
    for per_group, words in ((1, "one of each group"), (3, "at most 3 of each group")):
        few = Page(render_page([hit], total=1, text="dog", per_group=per_group))
        assert any(text.endswith(words) for text in few.text)
    by_title = Page(render_page([replace(hit, score=0.8)], total=1, text="dog", by="title"))
    assert bars(by_title) == [("picture", "0.50", 62.5), ("title", "0.800", 100.0), ("tags", "-0.10", 0.0)]
    assert any("the title alone decides" in text for text in by_title.text)


def test_a_record_without_a_picture_shows_its_words() -> None:
    hit = Hit(1, 0.6, "x", (("de", "Katze"), ("en", "cat")), "test", "", "", "", b"", {"title": 0.6})
    page = Page(render_page([hit], total=1, text="dog"))
    assert not page.attributes("img")
    assert [p.get("lang") for p in page.attributes("p") if p.get("class") == "words"] == ["en"]
    assert page.text.count("cat") == 2
    nameless = Page(render_page([replace(hit, titles=())], total=1, text="dog"))
    assert nameless.text.count("x") == 2


def test_a_picture_and_a_text_that_asked_together_are_both_on_the_page(model: Encoder, index: Index) -> None:
    hit = index.search(model.encode_text(["red"])[0], 1)[0]
    page = Page(render_page([hit], total=1, text="in the snow", image=hit.thumbnail))
    assert len(page.attributes("img")) == 2
    assert "in the snow" in page.text
    assert any("like this picture and" in text for text in page.text)


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
