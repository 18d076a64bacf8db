"""Laws for pages that mean harm: bounded time and memory, every refusal counted by its reason."""

import time
import tracemalloc

import pytest

from manyview.corpus.web import WebRules, read_page
from manyview.corpus.web.guard import explosive

URL = "https://a.example/x/"


def reading_time(markup: str) -> float:
    """CPU seconds of reading a page."""
    start = time.process_time()
    read_page(markup, URL)
    return time.process_time() - start


def test_ten_million_characters_of_text_give_a_short_context() -> None:
    page = read_page(
        "<html lang=en><title>Long</title><p>" + "word and " * 1_100_000 + "<img src=a.jpg alt='A red kite'>", URL
    )
    (image,) = page.images
    assert all(len(text.text) <= WebRules().max_context_chars for text in image.texts)


def test_a_context_is_never_longer_than_the_rules_say() -> None:
    prose = " ".join(f"Kite{n} flies{n} over{n} dunes{n}." for n in range(100))
    page = read_page(f"<h1>Head</h1><p>{prose}</p><img src=a.jpg alt='A red kite'><p>{prose}</p>", URL)
    (context,) = (text.text for image in page.images for text in image.texts if text.kind == "context")
    assert 500 < len(context) <= WebRules().max_context_chars


@pytest.mark.parametrize(
    "markup",
    [
        "<p>" + "".join(f"<font color={n}>" for n in range(4000)) + "<p>x" * 4000,
        "<img " + " ".join(f"a{n}=b" for n in range(20_000)) + ">",
        "<img " + " ".join(f"a{n}='<'" for n in range(20_000)) + ">",
        "<b a=1>" * 5000 + "<p>" * 5000,
    ],
    ids=["fonts", "attributes", "attributes with signs", "open"],
)
def test_markup_that_would_explode_is_named_and_not_parsed(markup: str) -> None:
    assert reading_time(markup) < 2
    assert read_page(markup, URL).skipped == {"page: markup that would explode": 1}


@pytest.mark.parametrize(
    "markup",
    [
        "<p>" + "<a href=x>link</a> and text <b>bold</b> " * 20_000,
        "<img " + " ".join(f"data-{n}=b" for n in range(300)) + ">",
        "<p>plain</p>" * 20_000,
        '<img src="data:image/png;base64,' + "A" * 3_000_000 + '">',
    ],
    ids=["links", "attributes", "blocks", "data URI"],
)
def test_large_pages_are_not_mistaken_for_harmful_ones(markup: str) -> None:
    assert not explosive(markup)


@pytest.mark.parametrize(
    "markup",
    [
        "<div>" * 20_000 + "<img src=a.jpg alt='A red kite'>",
        "<h2>x</h2>" * 5000 + "<img src=a.jpg alt='A red kite'>" * 2000,
        "<figure>" + "<figcaption>x y</figcaption>" * 5000 + "<img src=a.jpg alt='A red kite'></figure>",
        "<div class=caption>a b</div>" * 5000 + "".join(f"<img src={n}.jpg alt='A red kite'>" for n in range(1000)),
        "<img src=a.jpg srcset='" + "a, " * 200_000 + "'>",
        "<table><tr>" + "<td><img src=a.jpg>" * 3000 + "</table>",
        "<nav class=breadcrumb>" * 3000,
        "<title>" + "a | " * 100_000 + "</title><img src=a.jpg alt='A red kite'>",
        "<script type='application/ld+json'>" + "[" * 100_000 + "</script>",
    ],
    ids=["deep", "headings", "captions", "loose captions", "srcset", "cells", "crumbs", "title", "json"],
)
def test_reading_takes_bounded_time(markup: str) -> None:
    assert reading_time(markup) < 6


def test_images_beyond_the_limit_are_counted() -> None:
    markup = "".join(f"<img src={n}.jpg alt='A red kite'>" for n in range(30))
    page = read_page(markup, URL, WebRules(max_images_per_page=10))
    assert len(page.images) == 10
    assert page.skipped["image: too many on one page"] == 20


def test_memory_stays_within_a_small_multiple_of_the_page() -> None:
    markup = "<p>hello <img src=a.png alt='A red kite'> world</p>" * 4_000
    tracemalloc.start()
    read_page(markup, URL)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60 * len(markup)


@pytest.mark.parametrize(
    ("img", "reason"),
    [
        ("<img src='data:image/png;base64,AAAA' alt='A red kite'>", "image: data URI"),
        ("<img alt='A red kite'>", "image: no address"),
        ("<img src='javascript:x()'>", "image: no usable address"),
        ("<img src='http://[::1/a.jpg'>", "image: no usable address"),
        ("<img src=a.jpg width=1 height=1>", "image: tracking pixel"),
        ("<img src=a.jpg style='width:1px;height:1px'>", "image: tracking pixel"),
        ("<img src=https://www.facebook.com/tr?id=1>", "image: tracking pixel"),
        ("<img src=img/spacer.gif>", "image: spacer"),
        ("<img src=site-logo.png>", "image: icon"),
        ("<img src=/icons/home.png>", "image: icon"),
        ("<img src=chart.svg>", "image: SVG drawing"),
        ("<img src=a.jpg width=40 height=300>", "image: too small"),
        ("<img src=a.jpg width=1000 height=100>", "image: too narrow"),
        ("<nav><img src=a.jpg alt='A red kite'></nav>", "image: in the navigation"),
        ("<div class='footer'><img src=a.jpg alt='A red kite'></div>", "image: in the navigation"),
        ("<img src=0001.jpg>", "image: nothing said about it"),
    ],
)
def test_what_shows_nothing_is_counted_by_reason(img: str, reason: str) -> None:
    page = read_page(img, URL)
    assert page.images == ()
    assert page.skipped == {reason: 1}


def test_no_markup_at_all_is_a_page_without_images() -> None:
    for markup in ("", "\0\0", "plain words", "<", "<!doctype html>", "\ud800<img src='\ud800.jpg' alt='\ud800 kite'>"):
        assert isinstance(read_page(markup, URL).images, tuple)
