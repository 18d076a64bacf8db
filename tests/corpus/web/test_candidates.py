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
