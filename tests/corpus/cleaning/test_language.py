"""Laws of language: right on plain texts, silent when unsure, never online."""

import socket

import pytest

from manyview.corpus.cleaning.language import LanguageRules, chinese_script, languages

RULES = LanguageRules()
TOLD = {
    "a red car parked on the street": "en",
    "SUMMER DRESS WITH SHORT SLEEVES": "en",
    "红色的汽车停在街上": "zh",
    "赤い車が通りに止まっている": "ja",
    "빨간 차가 거리에 주차되어 있다": "ko",
    "une voiture rouge garée dans la rue": "fr",
    "ein rotes Auto steht auf der Straße": "de",
    "красная машина стоит на улице": "ru",
    "سيارة حمراء متوقفة في الشارع": "ar",
}


@pytest.mark.parametrize(("text", "code"), TOLD.items())
def test_plain_texts_are_told(text: str, code: str) -> None:
    assert languages([text], RULES) == [code]


@pytest.mark.parametrize("text", ["", "12345", "😀", "!?", "x", "42 × 17"])
def test_what_has_no_language_is_unknown(text: str) -> None:
    assert languages([text], RULES) == [""]


def test_what_is_unsure_is_unknown() -> None:
    assert languages(["zelda 2 xl"], RULES) == [""]
    assert languages(["zelda 2 xl"], LanguageRules(min_confidence_short=0)) != [""]


def test_short_texts_need_more_confidence() -> None:
    short, long = "eine schöne Straße", "ein roter Mantel aus weicher Wolle"
    strict = LanguageRules(min_confidence=0, min_confidence_short=0.999)
    assert languages([short, long], strict) == ["", "de"]
    assert languages([short], strict.model_copy(update={"short_letters": 5})) == ["de"]


def test_the_order_of_texts_and_what_was_asked_before_change_nothing() -> None:
    texts = list(TOLD)
    assert languages(texts[::-1], RULES)[::-1] == languages(texts, RULES) == list(TOLD.values())


def test_nothing_is_asked_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "socket", None)
    assert languages(["an entirely new sentence about boats"], RULES) == ["en"]


@pytest.mark.parametrize(
    ("text", "script"), [("红色的汽车", "zh-Hans"), ("紅色的汽車", "zh-Hant"), ("大山中人", "zh"), ("abc", "zh")]
)
def test_the_script_is_told_by_characters_that_only_one_has(text: str, script: str) -> None:
    assert chinese_script(text) == script


def test_the_script_is_told_when_asked() -> None:
    rules = LanguageRules(chinese_script=True)
    assert languages(["红色的汽车停在街上", "紅色的汽車停在街上"], rules) == ["zh-Hans", "zh-Hant"]


def test_a_very_long_text_is_judged_by_its_beginning() -> None:
    assert languages(["a red car " * 10**6], RULES) == ["en"]
