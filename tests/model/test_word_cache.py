"""Laws of the word cache: the ids of the tokenizers library, for any text, and fewer questions to it."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from manyview.corpus import Corpus
from manyview.model import WordPieceTokenizer, train_wordpiece
from manyview.model.word_cache import WordCache

TEXTS = [
    "a Red apple, on the table",
    "red_square #2 (x=3)",
    "红苹果 on 桌子",
    "naïve café",
    "😀 face",
    "[CLS] [x]",
    "UPPER case's",
]


@pytest.fixture(scope="module")
def tokenizer() -> WordPieceTokenizer:
    return train_wordpiece(TEXTS * 3, 300)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.text(max_size=30),
            st.text(st.characters(max_codepoint=126), max_size=30),
            st.text("ab红 苹[]_-'\t\n\u00e9\u0301\u3000", max_size=20),
            st.sampled_from(TEXTS),
        ),
        max_size=5,
    ),
    st.integers(4, 12),
)
def test_ids_are_those_of_the_library(tokenizer, texts, max_tokens):
    cached = tokenizer(texts, max_tokens)
    expected = tokenizer.library_ids(texts, max_tokens)
    assert [of.tolist() for of in cached["ids"].split(cached["lengths"].tolist())] == expected


@pytest.mark.slow
def test_ids_of_a_million_texts_of_many_languages_are_those_of_the_library():
    """Titles, tags and descriptions of the starter corpus in thirteen languages, and sentences mixed from them."""
    said = [text.text for record in Corpus.open("starter").records("train") for text in record.texts]
    tokenizer = train_wordpiece(said[::7], 20_000)
    rng = random.Random(0)
    mixed = [" ".join(rng.choices(said, k=rng.randint(1, 3))) for _ in range(1_000_000 - len(said))]
    every = said + mixed
    assert len(every) == 1_000_000
    for start in range(0, len(every), 20_000):
        some = every[start : start + 20_000]
        assert tokenizer._cache(some, 32) == tokenizer.library_ids(some, 32)


def test_a_word_is_asked_for_once(tokenizer, monkeypatch):
    cache = WordCache(tokenizer.tokenizer)
    asked = []
    learn = cache._learn
    monkeypatch.setattr(cache, "_learn", lambda word: asked.append(word) or learn(word))
    for _ in range(3):
        cache(["Zebra lion", "lion zebra ZEBRA"], 8)
    assert asked == ["zebra", "lion"]


@pytest.mark.parametrize("cased", [True, False])
def test_tokenizers_of_another_kind_are_left_to_the_library(cased):
    other = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    other.pre_tokenizer = pre_tokenizers.Whitespace()
    if cased:
        other.normalizer = normalizers.BertNormalizer(lowercase=False)
    with pytest.raises(ValueError, match="not BERT's"):
        WordCache(other)
    assert WordPieceTokenizer(other)(["a a"], 8)["ids"].tolist() == [0, 0]
