"""Laws of candidates: no page that could name an image is left unread, and none is judged by another's element."""

import pytest

from manyview.corpus.web import Page, read_page
from manyview.corpus.web.candidates import may_show

URL = "https://a.example/x/"


@pytest.mark.parametrize(
    "markup",
    [
        "<IMG SRC=a.jpg alt='A red kite'>",
        "<Img src=a.jpg alt='A red kite'>",
        "<image src=a.jpg alt='A red kite'>",
        "<amp-img src=a.jpg alt='A red kite'></amp-img>",
        "<title>A red kite</title><meta property=OG:IMAGE content=/a.jpg>",
        "<title>A red kite</title><meta property=og&#58;image content=/a.jpg>",
        "<title>A red kite</title><meta name='twitter:image' content=/a.jpg>",
        '<script type="application/LD+JSON">{"@type": "Product", "name": "A red kite", "image": "/a.jpg"}</script>',
    ],
)
def test_however_an_image_is_named_its_page_is_read(markup: str) -> None:
    assert may_show(markup)
    assert len(read_page(markup, URL).images) == 1


def test_a_page_that_names_no_image_is_not_even_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyview.corpus.web.page.Outline", None)
    assert read_page("<h1>Kites</h1><p>They fly over the dunes all day long.</p>", URL) == Page()


def test_pictures_with_the_same_img_are_told_apart_by_their_sources() -> None:
    picture = "<picture><source srcset={}.jpg><img src='data:image/gif;base64,AA' alt='A red kite'></picture>"
    page = read_page(picture.format("one") + picture.format("two"), URL)
    assert [image.id for image in page.images] == [f"{URL}one.jpg", f"{URL}two.jpg"]


def test_an_image_shown_often_is_one_image_and_counted_each_time_it_is_junk() -> None:
    page = read_page("<img src=a.jpg alt='A red kite'>" * 3 + "<img src=spacer.gif>" * 3, URL)
    assert len(page.images) == 1
    assert page.skipped == {"image: spacer": 3}


INLINE = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw=="
NAMED = {
    "a set": "<img srcset='/s.jpg 400w, /a.jpg 800w' alt='ALT'>",
    "a set without spaces": "<img srcset='/s.jpg 400w,/a.jpg 800w' alt='ALT'>",
    "addresses with commas": "<img srcset='/w_4,h_3/s.jpg 400w, /w_8,h_6/../../a.jpg 800w' alt='ALT'>",
    "an inline set before a late one": f"<img src='{INLINE}' srcset='{INLINE} 1w' data-srcset='/a.jpg 800w' alt='ALT'>",
    "a type with parameters": "<picture><source type='image/avif; codecs=av1' srcset=/b.avif>"
    "<source type=IMAGE/JPEG srcset=/a.jpg><img alt='ALT'></picture>",
    "a picture of AVIF alone": "<picture><source type=image/avif srcset=/a.jpg><img alt='ALT'></picture>",
    "a picture around a stand-in": "<picture><source srcset=/a.jpg><img src=/placeholder.gif alt='ALT'></picture>",
    "a late set of a picture": f"<picture><source data-srcset=/a.jpg><img src='{INLINE}' alt='ALT'></picture>",
    "an image without script": f"<img src='{INLINE}' alt='ALT'><noscript><img src=/a.jpg alt='ALT'></noscript>",
    "a set in AMP": "<amp-img srcset='/s.jpg 400w, /a.jpg 800w' alt='ALT'></amp-img>",
    "an attribute nobody knows": f"<img src='{INLINE}' data-flickity-lazyload=/a.jpg alt='ALT'>",
    "an attribute nobody knows and a stand-in": "<img src=/blank.gif data-hires='/a.jpg' alt='ALT'>",
    "a template": "<img src=/a.jpg data-src='{{ image }}' alt='ALT'>",
    "a width to be filled in": "<img src=/a.jpg data-src='/b_{width}x.jpg' alt='ALT'>",
    "the address of a page": "<img src=/a.jpg data-url=/product/17 data-image=12345 alt='ALT'>",
    "a blob": "<img src='blob:https://a.example/1' data-src=/a.jpg alt='ALT'>",
    "a background with a role": "<div role=img aria-label='ALT' style=\"background: url('/a.jpg') center\"></div>",
    "the secure address of a card": "<meta property=og:image:secure_url content=/a.jpg>"
    "<meta property=og:image:alt content='ALT'>",
    "an image for the page": "<link rel=image_src href=/a.jpg><meta property=og:image:alt content='ALT'>",
}


@pytest.mark.parametrize("way", NAMED)
def test_the_image_that_a_browser_would_show_is_found(way: str) -> None:
    page = read_page(f"<html lang=en>{NAMED[way].replace('ALT', 'A red kite')}", URL)
    assert [image.id for image in page.images] == ["https://a.example/a.jpg"]
    assert "A red kite" in {text.text for text in page.images[0].texts}


@pytest.mark.parametrize(
    "markup",
    [
        f"<img src='{INLINE}' data-id=12 data-caption='a.jpg is a red kite' alt='A red kite'>",
        "<img src=/blank.gif data-next='/spacer.gif' alt='A red kite'>",
        "<div style='background: url(/a.jpg)'>A red kite</div>",
        "<div role=img aria-label='A red kite' style='background: url(/a.jpg), url(/b.jpg)'></div>",
        "<template><img src=/a.jpg alt='A red kite'></template>",
    ],
)
def test_what_shows_nothing_of_its_own_is_no_image(markup: str) -> None:
    assert read_page(f"<html lang=en>{markup}", URL).images == ()


def test_alternatives_are_all_other_addresses_of_an_image() -> None:
    markup = (
        "<picture><source srcset='/p-800.jpg 800w, /p-400.jpg 400w'><img src=/p.jpg alt='A red kite'></picture>"
        "<img src=/one.jpg alt='A green kite'>"
        f"<img src='{INLINE}' data-srcset='/q.jpg 800w, /q-2000.jpg 2000w, /q-3000.jpg 3000w' alt='A blue kite'>"
    )
    page = read_page(markup, URL, alternatives=True)
    host = "https://a.example"
    assert page.alternatives == (
        (f"{host}/p.jpg", f"{host}/p-800.jpg"),
        (f"{host}/p.jpg", f"{host}/p-400.jpg"),
        (f"{host}/q.jpg", f"{host}/q-2000.jpg"),
        (f"{host}/q.jpg", f"{host}/q-3000.jpg"),
    )
    assert read_page(markup, URL).alternatives == ()
