"""Laws of what makes two queries one."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.clicks.queries import query_key, tidy


@given(st.text(max_size=20))
def test_tidying_twice_is_tidying_once_and_does_not_change_what_it_is(text: str) -> None:
    once = tidy(text)
    assert tidy(once) == once
    assert query_key(once) == query_key(text)
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in once)
    assert "  " not in once and once == once.strip()


@given(st.text(st.characters(max_codepoint=127), max_size=20))
def test_for_ascii_the_key_is_lower_case(text: str) -> None:
    assert query_key(text) == tidy(text).lower() == query_key(text.upper())


@pytest.mark.parametrize(
    "same",
    [
        ("Red  Shoes", "red\tshoes", " RED SHOES\n", "red\x00shoes"),
        ("ｂｌｕｅ", "blue", "BLUE"),
        ("straße", "STRASSE", "strasse"),
        ("cafe\u0301", "café", "CAFÉ"),
        ("红色\u3000鞋", "红色 鞋", "红色\xa0鞋"),
        ("ta\u200bble\ufeff", "table", "\u202atable"),
    ],
)
def test_forms_of_one_query_have_one_key(same: tuple[str, ...]) -> None:
    assert len({query_key(text) for text in same}) == 1


def test_emoji_and_joiners_stay() -> None:
    family = "👩\u200d👧 shoes"
    assert tidy(family) == family
    assert query_key("👟") != query_key("👠")
