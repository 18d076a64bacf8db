"""Laws of words: what looks different is different, what is written in two ways is one, old models see as before."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus import Corpus
from manyview.model import train_wordpiece
from manyview.model.ngrams import NgramTokenizer, words_of

DIFFERENT = [
    ("หมู", "หมี"),  # Thai: pig, bear
    ("เสื้อ", "เสือ"),  # Thai: shirt, tiger
    ("दिल", "दाल"),  # Hindi: heart, lentils
    ("பூ", "பை"),  # Tamil: flower, bag
    ("ស៊ុត", "ស៊ុំ"),  # Khmer
    ("🐶", "🍎"),
    ("🇩🇪", "🇫🇷"),
    ("👩‍🚀", "👨‍🚀"),
    ("👍🏿", "👍🏻"),
    ("→", "☀"),
    ("€", "£"),
    ("Bär", "Bar"),
    ("má", "ma"),  # Vietnamese: cheek, ghost
    ("!?", "..."),
    ("C++", "☀ C"),
]
EQUAL = [("❤️", "❤"), ("\u200fword", "word"), ("co\u00adop", "coop"), ("Å", "\u212b"), ("ﬀ", "ﬀ"), ("İ", "i\u0307")]
MARKS_AND_SYMBOLS = ("M", "S", "C")
PLAIN = st.text(
    st.characters(exclude_categories=["Mn", "Mc", "Me", "So", "Sm", "Sc", "Sk", "Cc", "Cf", "Cs", "Co", "Cn"])
)


@pytest.fixture(scope="module")
def ways():
    """Both tokenizers of ours, by what they make of a text: pieces that a model can tell apart."""
    trained = train_wordpiece([text for pair in DIFFERENT + EQUAL for text in pair], 500)
    bags = NgramTokenizer(1 << 31)
    return {"ngrams": lambda text: bags.bag(text, 64), "wordpiece": lambda text: trained([text], 64)["ids"].tolist()}


@pytest.mark.parametrize("way", ["ngrams", "wordpiece"])
@pytest.mark.parametrize(("a", "b"), DIFFERENT)
def test_words_that_differ_by_marks_or_symbols_differ(ways, way, a, b):
    assert ways[way](a) != ways[way](b)


@pytest.mark.parametrize("way", ["ngrams", "wordpiece"])
@pytest.mark.parametrize(("a", "b"), EQUAL)
def test_what_is_written_in_two_ways_is_one_word(ways, way, a, b):
    assert ways[way](a) == ways[way](b)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_canonically_equivalent_texts_have_equal_words(text):
    forms = [unicodedata.normalize(form, text) for form in ("NFC", "NFD")]
    assert words_of(forms[0]) == words_of(forms[1])


@pytest.mark.parametrize("script", ["thai", "devanagari", "tamil", "arabic", "hebrew", "myanmar", "emoji", "arrows"])
def test_every_letter_and_mark_of_a_script_counts(script):
    """A text with one character put in has other words than the text without it."""
    first, last = {
        "thai": (0x0E01, 0x0E4E),
        "devanagari": (0x0900, 0x0963),
        "tamil": (0x0B82, 0x0BCD),
        "arabic": (0x0620, 0x065F),
        "hebrew": (0x05B0, 0x05EA),
        "myanmar": (0x1000, 0x1049),
        "emoji": (0x1F300, 0x1F64F),
        "arrows": (0x2190, 0x21FF),
    }[script]
    characters = [c for c in map(chr, range(first, last + 1)) if unicodedata.category(c)[0] in "LMS"]
    words = {tuple(words_of(characters[0] + c)) for c in characters} | {tuple(words_of(characters[0]))}
    assert len(words) == len(characters) + 1


@given(PLAIN)
def test_text_without_marks_and_symbols_has_the_words_that_it_had(text):
    text = unicodedata.normalize("NFC", text)
    lower = unicodedata.normalize("NFC", text.lower())
    if any(unicodedata.category(c)[0] in MARKS_AND_SYMBOLS for c in text + lower) or lower != text.lower():
        return
    before = words_of(text, word_rules=1)
    assert words_of(text) == before or not before


def test_english_and_chinese_hash_as_before():
    records = Corpus.open("starter").records("test")
    texts = [t.text for record in records for t in record.texts if t.lang in ("en", "zh")]
    plain = [t for t in texts if not any(unicodedata.category(c)[0] in MARKS_AND_SYMBOLS for c in t if c > "\x7f")]
    assert len(plain) > 0.98 * len(texts)
    old, new = NgramTokenizer(1 << 15, 1), NgramTokenizer(1 << 15)
    assert [t for t in plain if old.bag(t, 64) not in (new.bag(t, 64), [0])] == []


@given(st.text(), st.integers(1, 5))
def test_any_string_has_a_bag_of_its_first_words(text, max_tokens):
    """Lone surrogates too, which stand for bytes that are no UTF-8."""
    bag = NgramTokenizer(1_000).bag(text, max_tokens)
    assert bag
    assert bag == NgramTokenizer(1_000).bag(text, 10_000)[: len(bag)]


def test_each_symbol_is_a_token_so_that_new_sequences_are_known():
    tokenizer = train_wordpiece(["🐶 🍎 café", "A+B"], 100)
    unknown = tokenizer.tokenizer.token_to_id("[UNK]")
    assert unknown not in tokenizer(["🍎🐶🐶", "🐶🍎café"], 16)["ids"]
