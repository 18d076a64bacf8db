"""Laws of language: right on plain texts, silent when unsure, never online."""

import socket

import pyarrow as pa
import pytest

from manyview.corpus.cleaning.language import LanguageRules, chinese_script, languages
from manyview.corpus.cleaning.rules import CleaningRules, clean_views
from manyview.corpus.sources.contract import VIEWS
from manyview.corpus.web.language import detect_language, text_language

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
    assert languages(["zelda 2 xl"], LanguageRules(min_confidence_short=0, short_latin=True)) != [""]


def test_short_texts_need_more_confidence() -> None:
    short, long = "eine schöne Straße", "ein roter Mantel aus weicher Wolle"
    strict = LanguageRules(min_confidence=0, min_confidence_short=0.999, short_latin=True)
    assert languages([short, long], strict) == ["", "de"]
    assert languages([short], strict.model_copy(update={"short_letters": 5})) == ["de"]


@pytest.mark.parametrize(
    "text", ["red hat", "small hat", "table", "Gift", "chef", "Čajová konvice", "die cast car 1:64"]
)
def test_short_texts_in_latin_letters_are_in_no_known_language(text: str) -> None:
    """Any of a hundred languages may be meant; what names the wrong one is worse than what names none."""
    assert languages([text, text.upper()], RULES) == ["", ""]
    assert detect_language(text) == ""
    assert text_language(text, "pl") == "pl"


def test_short_texts_in_scripts_of_few_languages_are_told() -> None:
    assert languages(["红色的帽子", "とても赤い帽子", "빨간 모자예요", "หมวกสีแดงใบใหญ่"], RULES) == [
        "zh",
        "ja",
        "ko",
        "th",
    ]


def test_no_text_is_left_out_for_a_language_that_short_texts_seem_to_have() -> None:
    texts = ["red hat", "blue hat", "wooden hat", "a red car parked on the street"]
    views = pa.table(
        {
            "id": ["a"] * 4,
            "kind": ["title"] * 4,
            "text": texts,
            "lang": [""] * 4,
            "weight": [1.0] * 4,
            "origin": [""] * 4,
        }
    ).cast(VIEWS)
    kept, left_out = clean_views(views, CleaningRules(languages=LanguageRules(only=("en",))))
    assert kept["text"].to_pylist() == texts
    assert not left_out


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
