"""Ngrams: a text as a bag of hashed words and character n-grams, for small data and small machines."""

import re
import unicodedata
import zlib
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Literal

import regex
import torch
from torch import Tensor, nn

__all__ = ["WORD_RULES", "NgramTokenizer", "NgramTower", "pieces", "words_of"]

WORD_RULES: Literal[2] = 2
"""Version of the rules of `words_of`; models saved before versions were written down follow 1."""

_WORD = re.compile(r"[^\W_]+")
_ANY_WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+|[^\P{S}\x00-\x7F]+[\U000E0020-\U000E007F]*")  # tags end some flags
_VISIBLE = re.compile(r"\S+")
_IGNORABLE = regex.compile(r"\p{VS}|[^\P{Cf}\u200B\U000E0020-\U000E007F]")  # but the zero-width space, which separates
_CJK_START = "\u2e80"  # from here on scripts written without spaces, Hangul included
_NGRAM = 4


class NgramTokenizer:
    """Texts to bags of bucket numbers: no vocabulary, any language, nothing unknown."""

    def __init__(self, buckets: int, word_rules: int = WORD_RULES) -> None:
        self.buckets, self.word_rules = buckets, word_rules

    def __call__(self, texts: Sequence[str], max_tokens: int) -> dict[str, Tensor]:
        """`ids` [total] and `lengths` [n] of the bags; max_tokens counts words."""
        bags = [self.bag(text, max_tokens) for text in texts]
        return {
            "ids": torch.tensor([i for bag in bags for i in bag], dtype=torch.int32),
            "lengths": torch.tensor([len(bag) for bag in bags], dtype=torch.int32),
        }

    def cuts(self, text: str, max_tokens: int) -> bool:
        """Whether a text has more words than `max_tokens`."""
        return len(text) > max_tokens and len(words_of(text, self.word_rules)) > max_tokens

    def bag(self, text: str, max_tokens: int) -> list[int]:
        """The bucket of each piece of the text's first `max_tokens` words; an empty text has bucket 0."""
        words = words_of(text, self.word_rules)[:max_tokens]
        return [i for word in words for i in _buckets(word, self.buckets)] or [0]


class NgramTower(nn.Module):
    """The mean of the pieces' embeddings, through one residual hidden layer."""

    def __init__(self, buckets: int = 32_768, width: int = 256, hidden: int = 512) -> None:
        super().__init__()
        self.buckets, self.width = buckets, width
        self.embedding = nn.EmbeddingBag(buckets, width, mode="mean")
        nn.init.normal_(self.embedding.weight, std=0.05)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))

    def forward(self, tokens: dict[str, Tensor]) -> Tensor:
        """[n, width] from `ids` and `lengths`."""
        lengths = tokens["lengths"].long()
        mean: Tensor = self.norm(self.embedding(tokens["ids"].long(), lengths.cumsum(0) - lengths))
        mixed: Tensor = mean + self.mlp(mean)
        return mixed


def words_of(text: str, word_rules: int = WORD_RULES) -> list[str]:
    """The words of a text in lower case, in order.

    Rules 2: runs of letters, marks and digits, and runs of symbols beyond ASCII, emoji among them; canonically
    equivalent texts have equal words, and variation selectors and invisible format characters do not count. A text
    with none of these consists of its visible characters. Rules 1: runs of letters and digits alone.
    For a text without marks, symbols beyond ASCII and format characters both give the same words, if it has any.
    """
    if word_rules == 1:
        return _WORD.findall(text.lower())
    if text.isascii():
        return _WORD.findall(text.lower()) or _VISIBLE.findall(text.lower())
    lower = unicodedata.normalize("NFC", unicodedata.normalize("NFC", _IGNORABLE.sub("", text)).lower())
    return _ANY_WORD.findall(lower) or _VISIBLE.findall(lower)


def pieces(word: str) -> Iterator[str]:
    """The word itself and its character 4-grams with both ends marked; for CJK and symbols its characters and pairs."""
    yield f"w {word}"
    if word[0] >= _CJK_START or not word[0].isalnum():
        yield from (f"c {character}" for character in word)
        yield from (f"b {word[i : i + 2]}" for i in range(len(word) - 1))
    else:
        ended = f"<{word}>"
        yield from (f"g {ended[i : i + _NGRAM]}" for i in range(len(ended) - _NGRAM + 1))


@lru_cache(maxsize=200_000)
def _buckets(word: str, buckets: int) -> tuple[int, ...]:
    return tuple(zlib.crc32(piece.encode(errors="surrogatepass")) % buckets for piece in pieces(word))
