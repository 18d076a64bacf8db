"""WordCache: token ids of simple texts from a dictionary of words met before, equal to the tokenizers library's."""

import json
import re
from collections.abc import Sequence
from typing import Any

from tokenizers import Tokenizer

__all__ = ["SYMBOLS", "VARIATION_SELECTORS", "WordCache"]

VARIATION_SELECTORS = r"[\x{180B}-\x{180F}\x{FE00}-\x{FE0F}\x{E0100}-\x{E01EF}]"
"""They choose how a character is drawn, an emoji in color or not, and not what it means."""

SYMBOLS = r"(?![\x{0}-\x{7F}])\p{S}"
"""Symbols beyond ASCII, emoji among them."""

_IDEOGRAPH = "\u4e00-\u9fff\u3400-\u4dbf"
_SIMPLE = re.compile(rf"[ -Z\\\]-~{_IDEOGRAPH}]*")  # printable ASCII but "[", which may open a special token
_WORDS = re.compile(rf"[0-9a-z]+|[!-/:-@\\-`{{-~{_IDEOGRAPH}]")
_PROBES = ("", "a Red-fox's  tail_2, 'x'!", "红苹果 on 桌子^~`{}")
_LARGEST = 1_000_000


class WordCache:
    """What BERT's tokenizer makes of a text word by word: lower case, cut at white space, punctuation and ideographs.

    Each word is given to the library once. Texts with anything but printable ASCII and the common Chinese
    ideographs (accents, emoji, control characters, special tokens) are the library's as a whole.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        """Raises ValueError for a tokenizer of another kind."""
        self._tokenizer = tokenizer
        self._words: dict[str, list[int]] = {}
        whole = tokenizer.encode("").ids
        self._first, self._last = whole[:1], whole[1:]
        if not _is_bert(tokenizer) or len(whole) != 2 or any(self.ids(of, 512) != self._slow(of) for of in _PROBES):
            raise ValueError("not BERT's cleaning with WordPiece and two special tokens around")

    def ids(self, text: str, max_tokens: int) -> list[int] | None:
        """Token ids with the special ones around, cut to `max_tokens`; None for a text that is not simple."""
        if _SIMPLE.fullmatch(text) is None:
            return None
        words, room = self._words, max_tokens - 2
        found: list[int] = []
        for word in _WORDS.findall(text.lower()):
            pieces = words.get(word)
            if pieces is None:
                pieces = self._learn(word)
            found += pieces
            if len(found) >= room:
                break
        return self._first + found[:room] + self._last

    def __call__(self, texts: Sequence[str], max_tokens: int) -> list[list[int]]:
        """Token ids of each text, the simple ones from the cache and the others from the library."""
        found = [self.ids(text, max_tokens) for text in texts]
        others = [i for i, ids in enumerate(found) if ids is None]
        if others:
            self._tokenizer.enable_truncation(max_tokens)
            encoded = self._tokenizer.encode_batch([texts[i] for i in others])
            self._tokenizer.no_truncation()
            for i, encoding in zip(others, encoded, strict=True):
                found[i] = encoding.ids
        return [ids for ids in found if ids is not None]

    def _learn(self, word: str) -> list[int]:
        if len(self._words) >= _LARGEST:
            self._words.clear()
        pieces: list[int] = self._tokenizer.encode(word, add_special_tokens=False).ids
        self._words[word] = pieces
        return pieces

    def _slow(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer.encode(text).ids
        return ids


def _is_bert(tokenizer: Tokenizer) -> bool:
    told = json.loads(tokenizer.to_str())
    normalizer, cutter = told["normalizer"] or {}, told["pre_tokenizer"] or {}
    cleaning = [step for step in normalizer.get("normalizers", [normalizer]) if not _keeps_simple_texts(step)]
    cutting = [step for step in cutter.get("pretokenizers", [cutter]) if not _keeps_simple_texts(step)]
    return (
        [step.get("type") for step in (*cleaning, *cutting)] == ["BertNormalizer", "BertPreTokenizer"]
        and bool(cleaning[0].get("lowercase"))
        and bool(cleaning[0].get("handle_chinese_chars"))
        and told["model"]["type"] == "WordPiece"
    )


def _keeps_simple_texts(step: dict[str, Any]) -> bool:
    """Whether a step changes and cuts no text of printable ASCII and common ideographs."""
    pattern = {"Replace": VARIATION_SELECTORS, "Split": SYMBOLS}.get(step.get("type", ""))
    return step.get("type") in ("NFC", "NFD") or (pattern is not None and step.get("pattern") == {"Regex": pattern})
