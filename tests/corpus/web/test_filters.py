"""Laws of the rules: each rejects what it is named for, by a threshold that can be moved, and lets the rest pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.web.filters import IMAGE_RULES, TEXT_RULES, WebRules

GOOD = (
    ("A red kite over the dunes", "en"),
    ("Boats in the market square, Monday morning (photo by hand)", "en"),
    ("Rote Lederschuhe mit weißer Sohle", "de"),
    ("头层牛皮制成，鞋底柔软防滑，适合日常通勤穿着", "zh"),
    ("حقيبة يد جلدية بنية اللون", "ar"),
    ("नीली साड़ी में एक महिला", "hi"),
    ("職人が一つずつ手作りした湯呑み", "ja"),
    ("Red shoe", "en"),
    ("红色皮鞋", "zh"),
    ("NASA picture of the day", "en"),
    ("The heron (Ardea cinerea) 🐦 at 6 a.m.", "en"),
)
BAD = (
    ("ab", "text: too few letters"),
    ("kite \ufffd\ufffd over the dunes", "text: broken characters"),
    ("cafÃ© au lait", "text: broken characters"),
    ("photo 12", "text: says nothing"),
    ("Image", "text: says nothing"),
    ("图片", "text: says nothing"),
    ("12,99 € - 24,99 € (1.234) kg net", "text: mostly digits and signs"),
    ("IMG_2031.jpg", "text: an address or file name"),
    ("see https://a.example/b", "text: an address or file name"),
    ("www.example.com", "text: an address or file name"),
    ("kite <b>red</b> over dunes", "text: code or markup"),
    ("{{ product.name }} in red", "text: code or markup"),
    ("Click to enlarge", "text: boilerplate phrase"),
    ("点击查看 大图", "text: boilerplate phrase"),
    ("Kite", "text: too few words"),
    ("word " * 300, "text: too many words"),
    ("kite " + "a" * 60, "text: an overlong word"),
    ("RED KITE OVER DUNES", "text: capital letters"),
    ("red red red kite red red", "text: repeats itself"),
    ("便宜便宜便宜便宜便宜便宜", "text: repeats itself"),
)


@pytest.mark.parametrize(("text", "lang"), GOOD)
def test_a_good_text_may_stay(text: str, lang: str) -> None:
    assert WebRules().reject_text(text, "alt", lang) is None


@pytest.mark.parametrize(("text", "rule"), BAD)
def test_a_bad_text_is_rejected_by_the_rule_that_is_named_for_it(text: str, rule: str) -> None:
    assert WebRules().reject_text(text, "alt", "en") == rule


def test_each_text_rule_has_a_text_that_it_rejects() -> None:
    needs_words = {"text: no determiner or preposition", "text: content words only"}
    assert {rule for _, rule in BAD} | needs_words == set(TEXT_RULES)


def test_rules_that_want_function_words_speak_of_english_alone() -> None:
    strict = WebRules(needs_determiner=True)
    assert strict.reject_text("red kite dunes sky", "alt", "en") == "text: no determiner or preposition"
    assert strict.reject_text("a red kite", "alt", "en") is None
    assert strict.reject_text("roter Drachen Himmel", "alt", "de") is None
    names = WebRules(max_content_share=0.7)
    assert names.reject_text("kite dunes sky sea", "caption", "en-GB") == "text: content words only"
    assert names.reject_text("a kite over the dunes", "caption", "en-GB") is None


def test_a_title_may_be_one_word_and_a_category_too() -> None:
    for kind in ("title", "heading", "category"):
        assert WebRules().reject_text("Kites", kind, "en") is None


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("Kite", WebRules(min_words=1)),
        ("word " * 300, WebRules(max_words=300, max_repeated_share=1)),
        ("RED KITE OVER DUNES", WebRules(max_capitalized_share=1)),
        ("red red red kite red red", WebRules(max_repeated_share=1)),
        ("kite " + "a" * 60, WebRules(max_word_letters=60)),
        ("Click to enlarge", WebRules(boilerplate=())),
        ("12,99 € - 24,99 € (1.234) kg net", WebRules(min_letter_share=0, min_letters=1)),
    ],
)
def test_a_threshold_that_is_moved_lets_the_text_pass(text: str, rules: WebRules) -> None:
    assert rules.reject_text(text, "alt", "") is None


@given(st.text(max_size=80), st.sampled_from(("alt", "caption", "title", "context", "filename", "other")))
def test_a_verdict_is_a_rule_or_nothing(text: str, kind: str) -> None:
    assert WebRules().reject_text(text, kind, "en") in {None, *TEXT_RULES}


@given(st.floats(1, 5000), st.floats(1, 5000), st.floats(1, 10))
def test_size_and_aspect_by_definition(width: float, height: float, most: float) -> None:
    rules = WebRules(min_side_px=100, max_aspect=most)
    small = min(width, height) < 100
    narrow = max(width, height) / min(width, height) > most * (1 + 1e-9)
    found = rules.reject_size(width, height)
    assert found == rules.reject_size(height, width)
    assert (found == "image: too small") == small
    if not small and narrow:
        assert found == "image: too narrow"
    assert found in {None, *IMAGE_RULES}


def test_a_size_that_is_not_known_rejects_nothing() -> None:
    assert WebRules().reject_size(None, None) is None
    assert WebRules().reject_size(None, 500) is None
    assert WebRules().reject_size(10, None) == "image: too small"
