"""Laws of clean texts: one form, nothing invisible, emoji whole, the fast way equal to the slow one."""

import unicodedata

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from manyview.corpus.cleaning.text_columns import clean_column, clean_column_slowly
from manyview.corpus.cleaning.texts import TextRules, clean_text, cut_at_boundary

RULES = TextRules()
FAMILY = "👩‍👩‍👧‍👦"
HEART_ON_FIRE = "❤️‍🔥"
ENGLAND = "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
TRICKY = "aé的の한 &;ampltI\u0130ﬁ❤🔥🇨👍🏽"
TRICKY += "\u0301\u200b\u200c\u200d\u202e\ufe0f\x00\n\u3000\ue000\U000e0067م\ufffd\u1100\u1161"
STRINGS = st.text(st.one_of(st.sampled_from(TRICKY), st.characters(codec="utf-8")), max_size=40)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  red \t\r\n dress\u3000\u00a0XL ", "red dress XL"),
        ("cafe\u0301", "café"),
        ("a\u200bb\u202ec\ufeff\u00add\x00\x07", "abcd"),
        ("R&amp;D &lt;3 &#x1F600; &#20013; &nosuch; AT&T&copy=1", "R&D <3 😀 中 &nosuch; AT&T&copy=1"),
        ("\ue000 home", "home"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("क्\u200dष", "क्\u200dष"),
        ("a\u200db", "ab"),
        ("葛\U000e0100城", "葛\U000e0100城"),
        ("\ufe0fstart", "start"),
    ],
)
def test_each_repair(text: str, clean: str) -> None:
    assert clean_text(text, RULES) == (clean, None)


@pytest.mark.parametrize("emoji", [FAMILY, HEART_ON_FIRE, ENGLAND, "👍🏽", "1️⃣", "☎︎", "🇨🇳", "🏳️‍🌈", "🧑🏿‍🚀"])
def test_emoji_stay_whole(emoji: str) -> None:
    assert clean_text(f" so {emoji}\u200b {emoji}!", RULES) == (f"so {emoji} {emoji}!", None)
    assert clean_text(emoji, RULES) == (emoji, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "text: empty"),
        (" \n\u200b\ufeff ", "text: empty"),
        ("NaN", "text: stands for no text"),
        (" null\n", "text: stands for no text"),
        ("--- ***", "text: without a word"),
        (b"\xff\xfe\x00\x80", "text: broken UTF-8"),
        ("\ud800\udbff", "text: broken UTF-8"),
    ],
)
def test_each_reason(text: str | bytes, reason: str) -> None:
    assert clean_text(text, RULES) == ("", reason)


def test_broken_utf8_is_repaired_or_dropped_as_told() -> None:
    latin = "a café in the old town".encode("latin-1")
    assert clean_text(latin, RULES) == ("a caf in the old town", None)
    assert clean_text(latin, TextRules(broken_utf8="drop")) == ("", "text: broken UTF-8")


def test_surrogate_pairs_become_the_character_they_mean() -> None:
    halves = "😀".encode("utf-16-be")
    pair = chr(int.from_bytes(halves[:2])) + chr(int.from_bytes(halves[2:]))
    for text in (f"{pair} hello", f"{pair} hello".encode("utf-8", "surrogatepass")):
        assert clean_text(text, TextRules(broken_utf8="drop")) == ("😀 hello", None)
    assert clean_text("hello dear\ud83d world", RULES) == ("hello dear world", None)


def test_short_texts_are_left_out_when_asked() -> None:
    rules = TextRules(min_chars=3)
    assert clean_text("ab", rules) == ("", "text: too short")
    assert clean_text("a b", rules) == ("a b", None)


def test_entities_and_signs_stay_when_asked() -> None:
    assert clean_text("&amp;", TextRules(unescape_html=False)) == ("&amp;", None)
    assert clean_text("?!", TextRules(need_word=False)) == ("?!", None)


@given(STRINGS)
@example("\u200b\ufe0f\u0301")
@example("\u2329\u200d\u2329")
def test_what_is_clean_is_clean_for_good(text: str) -> None:
    rules = TextRules(unescape_html=False)
    clean, reason = clean_text(text, rules)
    if reason is None:
        assert clean_text(clean, rules) == (clean, None)
        assert unicodedata.is_normalized("NFC", clean)
        assert clean == " ".join(clean.split())
        assert not set(clean) & set("\x00\u200b\u202e\ue000")
    else:
        assert clean == ""


@given(STRINGS, st.integers(8, 30))
def test_a_long_text_is_cut_to_its_beginning(text: str, most: int) -> None:
    whole, reason = clean_text(text, RULES)
    cut, _ = clean_text(text, TextRules(max_chars=most))
    if reason is None and cut:
        assert len(cut) <= most
        assert whole.startswith(cut)


def test_texts_are_cut_between_words_and_never_in_a_cluster() -> None:
    assert cut_at_boundary("one two three four", 10) == "one two"
    assert cut_at_boundary("one two three four", 13) == "one two three"
    assert cut_at_boundary("一二三四五六七八九十", 8) == "一二三四五六七八"
    for emoji in (FAMILY, HEART_ON_FIRE, ENGLAND, "👍🏽", "🇨🇳", "e\u0323"):
        for most in range(8, 8 + len(emoji)):
            assert cut_at_boundary("12345678" + emoji * 2, most) == "12345678"


@pytest.mark.parametrize("text", ["word " * 2_000_000, " " * 10_000_000, "红" * 3_333_333, b"\xff" * 10_000_000])
def test_ten_megabytes_are_no_trouble(text: str | bytes) -> None:
    assert len(clean_text(text, RULES)[0]) <= 1024


CLEAN = [
    "red dress",
    "Größe 42, naïve café…",
    "红色连衣裙（夏季）",
    "ワンピース ー 赤い",
    "빨간 드레스",
    "Красное платье",
    "L-XL / 2-pack (new!) #1",
]
DIRTY = [
    "a  b",
    " a",
    "a ",
    "a\u0301",
    "NULL",
    "nan",
    "",
    "...",
    "R&amp;D",
    "x" * 2000,
    "a\tb",
    FAMILY,
    "カ\u3099",
    "各\u3131",
]


@given(st.lists(st.one_of(st.none(), st.sampled_from([*CLEAN, *DIRTY]), STRINGS), max_size=30), st.integers(1, 4))
def test_the_fast_way_equals_the_slow_way(texts: list[str | None], least: int) -> None:
    for rules in (TextRules(min_chars=least), TextRules(unescape_html=False, max_chars=12)):
        for kind in (pa.string(), pa.large_string(), pa.binary()):
            column = pa.array([t.encode() if t is not None and kind == pa.binary() else t for t in texts], kind)
            fast, slow = clean_column(column, rules), clean_column_slowly(column, rules)
            assert [part.to_pylist() for part in fast] == [part.to_pylist() for part in slow]


@given(st.lists(st.characters(codec="utf-8"), min_size=1, max_size=200))
def test_every_character_is_judged_alike_by_both_ways(characters: list[str]) -> None:
    column = pa.array([f"x{character}y" for character in characters] + characters)
    assert clean_column(column, RULES)[0].to_pylist() == clean_column_slowly(column, RULES)[0].to_pylist()


@pytest.mark.slow
def test_all_characters_of_unicode_are_judged_alike_by_both_ways() -> None:
    every = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    for column in (pa.array(every), pa.array([f"a{character}가" for character in every])):
        assert clean_column(column, RULES)[0].equals(clean_column_slowly(column, RULES)[0])


def test_clean_texts_take_the_fast_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyview.corpus.cleaning.text_columns.clean_text", None)
    assert clean_column(pa.chunked_array([CLEAN, CLEAN]), RULES)[0].to_pylist() == CLEAN * 2


def test_broken_strings_in_a_column_are_counted_and_the_rest_stays() -> None:
    broken = pa.array([b"good text", b"\xff\xfe\x80", None, b"a caf\xe9 by the sea side"], pa.binary())
    column = pa.StringArray.from_buffers(4, broken.buffers()[1], broken.buffers()[2], broken.buffers()[0])
    texts, reasons = clean_column(column, RULES)
    assert texts.to_pylist() == ["good text", "", "", "a caf by the sea side"]
    assert reasons.to_pylist() == [None, "text: broken UTF-8", "text: missing", None]
