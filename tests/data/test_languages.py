"""Laws of languages: none is left out unless somebody says so, and a code means what it says however it is written."""

from itertools import combinations

import pytest

from manyview.data.languages import LanguageWeights

CODES = ("", "en", "de", "fr", "th", "ja", "zh-Hans", "pt-BR", "xx-unheard-of")


@pytest.mark.parametrize("langs", [(), {}, {"en": 3, "zh": 1, "": 1}, {"de": 1, "*": 2}, {"th": 1}])
def test_a_record_loses_no_language_but_to_a_preferred_one(langs):
    weights = LanguageWeights(langs)
    for count in (1, 2, 3):
        for present in combinations(CODES, count):
            shares = weights.shares(present)
            assert shares
            for lang in set(present) - set(shares):
                assert any(weights.key(other) is not None for other in shares), f"{lang} lost to none"


@pytest.mark.parametrize("written", ["en", "EN", "en-US", "en_us", "en-Latn-GB", " en "])
def test_a_code_stands_for_its_regions_and_spellings(written):
    assert LanguageWeights({"en": 3, "de": 1}).shares({written, "de"}) == {written: 3, "de": 1}
    assert set(LanguageWeights(["en"]).shares({written, "de", "eno"})) == {written}


def test_the_longest_key_counts():
    assert LanguageWeights({"zh": 1, "zh-Hant": 5}).shares({"zh-Hant-HK", "zh-Hans"}) == {"zh-Hant-HK": 5, "zh-Hans": 1}


def test_the_weight_of_a_key_is_divided_among_what_it_stands_for():
    assert LanguageWeights({"en": 3, "*": 1}).shares({"en-US", "en-GB", "de", "fr"}) == {
        "en-US": 1.5,
        "en-GB": 1.5,
        "de": 0.5,
        "fr": 0.5,
    }


def test_what_is_not_stated_has_a_key_of_its_own():
    assert LanguageWeights({"": 2, "en": 1}).shares({"", "en", "und"}) == {"": 1, "und": 1, "en": 1}


@pytest.mark.parametrize("never", [{"de": 0}, {"de": 0, "en": 1}, {"en": 1, "*": 0}, ["en"]])
def test_a_language_of_weight_zero_is_never_drawn_not_even_alone(never):
    assert not LanguageWeights(never).shares({"de"})
    assert "de" not in LanguageWeights(never).shares({"de", "en"})


def test_nothing_said_draws_every_language_alike():
    assert set(LanguageWeights(()).shares(CODES).values()) == {1.0}
