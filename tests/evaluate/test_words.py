"""Laws of words: what is one, and when two texts have one in common."""

import itertools

import pytest

from manyview.evaluate.words import tokens, wording, words


def test_words_are_folded_and_each_ideograph_is_one() -> None:
    assert words("Red-Hot Chili PEPPERS, 2 gas") == {"red", "hot", "chili", "pepper", "2", "gas"}
    assert words("红Apple果") == {"红", "apple", "果"}


def test_letters_and_their_marks_are_one_word() -> None:
    assert words("मकान घर") == {"मकान", "घर"}
    assert wording(["मकान"]).shares_a_word(wording(["घर, मकान"]))
    assert not wording(["मकान"]).shares_a_word(wording(["पासा"]))


@pytest.mark.parametrize(
    ("a", "b", "common"),
    [
        ("Red apples", "an apple", True),
        ("red apple", "pineapple", False),
        ("红苹果", "苹果树", True),
        ("苹果", "结果", False),
        ("狗", "热狗", True),
        ("热狗", "狗肉", False),
        ("狗", "猫", False),
        ("狗 dog", "a dog", True),
        ("", "anything", False),
    ],
)
def test_texts_share_a_word_or_a_bigram_or_a_lone_character(a: str, b: str, common: bool) -> None:
    assert wording([a]).shares_a_word(wording([b])) is wording([b]).shares_a_word(wording([a])) is common


def test_several_texts_share_a_word_exactly_when_one_of_them_does() -> None:
    texts = ["red apple", "红苹果", "果", "apples, pears", "dog", "狗", "热狗 dog stand"]
    for several in itertools.combinations(texts, 3):
        for text in texts:
            alone = any(wording([text]).shares_a_word(wording([one])) for one in several)
            assert wording([text]).shares_a_word(wording(several)) is alone


def test_texts_without_a_word_in_common_have_no_token_in_common_but_single_ideographs() -> None:
    assert tokens("Apples apples 红苹果") == ["apple", "apple", "红", "苹", "果", "红苹", "苹果"]
    assert set(tokens("苹果")) & set(tokens("结果")) == {"果"}
