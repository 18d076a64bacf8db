"""Laws of counting texts over pages: by definition, and in bounded memory."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web.repeated import RepeatedTexts, page_of

PAGES = st.lists(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), max_size=4), max_size=12)


@given(PAGES, st.integers(1, 4))
def test_a_text_is_too_frequent_from_the_page_after_the_last_allowed(
    pages: list[list[tuple[str, str]]], most: int
) -> None:
    repeated = RepeatedTexts(most)
    counted, last = defaultdict[str, int](int), dict[str, tuple[int, str]]()
    for number, page in enumerate(pages):
        for text, image in page:
            if text not in last or (last[text][0] != number and last[text][1] != image):
                counted[text] += 1
                last[text] = number, image
            assert repeated.too_often(text, image, number) == (counted[text] > most)


def test_the_same_image_again_is_no_boilerplate() -> None:
    repeated = RepeatedTexts(2)
    assert not any(repeated.too_often("A red kite", "kite.jpg", page) for page in range(100))


def test_case_and_spaces_do_not_hide_a_repetition() -> None:
    repeated = RepeatedTexts(1)
    assert not repeated.too_often("Buy  now", "a", 0)
    assert repeated.too_often("BUY NOW", "b", 1)


def test_memory_is_bounded_and_what_is_frequent_is_kept() -> None:
    repeated = RepeatedTexts(3, most_texts=100)
    for page in range(2000):
        repeated.too_often(f"text {page}", f"{page}.jpg", page)
        if page % 10 == 0:
            repeated.too_often("often", f"{page}.jpg", page)
        assert len(repeated._seen) <= 100
    assert repeated.too_often("often", "last.jpg", 2000)


def test_the_page_is_in_the_origin() -> None:
    assert page_of("crawl.warc.gz:17:alt") == "crawl.warc.gz:17"
    assert page_of("a:b.html:title") == "a:b.html"
