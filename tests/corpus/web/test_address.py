"""Laws of addresses: where a browser would fetch the image from."""

from urllib.parse import urljoin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web.address import absolute, best_of_srcset, image_address

BASES = ("https://a.example/x/y.html", "http://b.example", "https://c.example/p/?q=1")


@given(st.sampled_from(BASES), st.text("ab1_./-", min_size=1, max_size=12))
def test_plain_addresses_are_joined_as_the_standard_says(base: str, address: str) -> None:
    expected = urljoin(base, address)
    if expected.count("/") == 2:
        expected += "/"
    assert absolute(base, address) in (expected, "")
    assert absolute(base, address) or "//" in address


@pytest.mark.parametrize(
    ("base", "address", "expected"),
    [
        ("https://a.example/x/", "b c.jpg#f", "https://a.example/x/b%20c.jpg"),
        ("https://a.example/x/", "//CDN.example/B.jpg", "https://cdn.example/B.jpg"),
        ("https://a.example/x/", "ü.jpg?ä=1", "https://a.example/x/%C3%BC.jpg?%C3%A4=1"),
        ("https://a.example/x/", "a%20b.jpg", "https://a.example/x/a%20b.jpg"),
        ("https://a.example/x/", "http://bücher.example/a.jpg", "http://xn--bcher-kva.example/a.jpg"),
        ("https://a.example/x/", "ftp://a.example/b.jpg", ""),
        ("https://a.example/x/", "http://", ""),
        ("", "a.jpg", ""),
        ("", "https://a.example/b.jpg", "https://a.example/b.jpg"),
    ],
)
def test_addresses_come_out_absolute_and_escaped(base: str, address: str, expected: str) -> None:
    assert absolute(base, address) == expected


@given(st.text(max_size=30))
def test_an_address_never_raises_and_is_its_own_address(written: str) -> None:
    found = absolute("https://a.example/x/", written)
    assert not found or absolute("", found) == found


@pytest.mark.parametrize(
    ("written", "best"),
    [
        ("a.jpg 200w, b.jpg 800w, c.jpg 3000w", "b.jpg"),
        ("a.jpg 2000w, b.jpg 3000w", "a.jpg"),
        ("a.jpg, b.jpg 2x", "b.jpg"),
        ("a.jpg 1x,b.jpg 1.5x", "b.jpg"),
        ("a,b.jpg 100w", "a,b.jpg"),
        ("data:image/gif;base64,AAAA 1w, b.jpg 2w", "b.jpg"),
        ("", ""),
        (" , , ", ""),
    ],
)
def test_the_widest_that_is_not_too_wide(written: str, best: str) -> None:
    assert best_of_srcset(written) == best


@pytest.mark.parametrize("name", ["data-src", "data-original", "data-lazy-src", "data-lazy"])
def test_a_late_address_wins_over_a_stand_in(name: str) -> None:
    for src in ("", "data:image/gif;base64,AAAA", "/blank.gif", "loading.svg"):
        assert image_address({"src": src, name: "real.jpg"}) == "real.jpg"
    assert image_address({"src": "real.jpg"}) == "real.jpg"
