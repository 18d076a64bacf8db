import io
import re
from base64 import b64decode
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from PIL import Image

from manyview.data.contact_sheet import SheetRow
from manyview.errors import DataError, UsageError
from manyview.evaluate.report import Command, CorpusSource, ReportData, render_report
from manyview.evaluate.report.render import duration

from .conftest import difference, image, recipe, shown

VOID = {"meta", "img", "br", "link", "input", "hr"}
LOADING = {"src", "srcset", "data", "poster", "background", "action", "xlink:href"}


class Page(HTMLParser):
    """Keeps what a page loads, links to and says; fails on tags that do not nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.images: list[str] = []
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(tag, dict(attrs))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._note(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def _note(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.ids += [value for name, value in attributes.items() if name == "id" and value]
        self.links += [value for name, value in attributes.items() if name == "href" and value]
        self.loaded += [value for name, value in attributes.items() if name in LOADING and value]
        if tag == "img":
            self.images.append(attributes["src"] or "")
            assert attributes.get("alt") is not None


def test_the_page_loads_nothing_and_runs_nothing(page: ReportData) -> None:
    html = render_report(page)
    parsed = Page(html)
    assert not {"script", "link", "iframe", "object", "base", "form"} & set(parsed.tags)
    assert all(address.startswith("data:image/") for address in parsed.loaded)
    assert not re.search(r"url\(|@import|https?://", html)
    assert "default-src 'none'" in html


def test_every_image_is_inside_and_can_be_decoded(page: ReportData) -> None:
    images = Page(render_report(page)).images
    hits = sum(len(one.hits) for one in page.shown)
    missed = sum(not one.found for one in page.shown)
    assert len(images) == hits + missed + sum(len(row.images) for row in page.sheet)
    for address in images:
        head, _, packed = address.partition(",")
        media_type = head.removeprefix("data:").removesuffix(";base64")
        with Image.open(io.BytesIO(b64decode(packed))) as opened:
            assert Image.MIME[opened.format or ""] == media_type


def test_both_themes_give_every_color_a_value(page: ReportData) -> None:
    html = render_report(page)
    light, dark = re.findall(r":root \{(.*?)\}", html, re.DOTALL)
    assert "prefers-color-scheme: dark" in html
    assert "color-scheme: light dark" in html
    assert set(re.findall(r"(--[\w-]+):", light)) == set(re.findall(r"(--[\w-]+):", dark))
    assert set(re.findall(r"var\((--[\w-]+)\)", html)) <= set(re.findall(r"(--[\w-]+):", light))


def test_links_within_the_page_lead_somewhere(page: ReportData) -> None:
    for data in (page, replace(page, shown=(), sheet=(), commands=(), sources=())):
        parsed = Page(render_report(data))
        assert len(parsed.ids) == len(set(parsed.ids))
        assert {link.removeprefix("#") for link in parsed.links} <= set(parsed.ids)


def test_all_text_from_data_is_escaped(page: ReportData) -> None:
    bad = "<script>alert('x')</script>\"><img src=x onerror=y> & {{ 7 * 7 }}"
    wicked = replace(
        page,
        title=bad,
        recipes=(recipe(bad, bad, 40.0), replace(recipe("m", bad, 50.0), summary=bad)),
        sources=(CorpusSource(bad, bad, 1, 1, bad),),
        comparison=(difference(bad, "all", 5.0, 10.0, 15.0),),
        shown=(shown(bad, 0), shown(bad, 30)),
        sheet=(SheetRow(bad, {bad: image()}, {bad: bad}),),
        commands=(Command(bad, bad),),
        environment={bad: bad},
    )
    parsed = Page(render_report(wicked))
    assert "script" not in parsed.tags
    assert "x" not in parsed.loaded
    assert parsed.text.count(bad) > 10
    assert set(parsed.tags) == set(Page(render_report(page)).tags)


def test_the_winner_is_named_whoever_it_is(page: ReportData, swapped: ReportData) -> None:
    assert "Many views wins:" in Page(render_report(page)).text
    assert "One text wins:" in Page(render_report(swapped)).text


def test_a_single_run_has_a_page_without_comparison(page: ReportData) -> None:
    alone = replace(page, recipes=page.recipes[1:], comparison=(), overall=())
    parsed = Page(render_report(alone))
    assert "wins" not in parsed.text
    assert "minus" not in parsed.text
    assert "50.0" in parsed.text


def test_the_right_hit_is_marked_by_more_than_color(page: ReportData) -> None:
    html = render_report(page)
    found = sum(hit.correct for one in page.shown for hit in one.hits)
    assert html.count('class="hit correct"') == html.count("(right)") == found
    assert '.hit.correct::after { content: "✓"' in html


def test_queries_are_marked_with_their_language(page: ReportData) -> None:
    html = render_report(page)
    assert '<q lang="zh">城市</q>' in html
    assert "asked in Chinese" in html


def test_what_is_no_image_is_refused(page: ReportData) -> None:
    with pytest.raises(DataError, match="must be PNG, JPEG, GIF or WebP"):
        render_report(replace(page, sheet=(SheetRow("", {"image": b"<svg onload=x>"}, {}),)))


def test_a_page_needs_a_recipe() -> None:
    with pytest.raises(UsageError, match="at least one recipe"):
        ReportData(title="t", recipes=())


def test_durations_are_written_in_two_units_at_most() -> None:
    assert [duration(seconds) for seconds in (0.4, 59.7, 61, 3599.8, 7325)] == [
        "0 s",
        "1 min 00 s",
        "1 min 01 s",
        "1 h 00 min",
        "2 h 02 min",
    ]
