"""Tokens: how many a text takes, by a tokenizer or by a rule of thumb."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from manyview.errors import DataError, UsageError

__all__ = ["ESTIMATE", "UNSPACED", "CountTokens", "count_tokens", "estimated_tokens", "tokenizer_file"]

CountTokens = Callable[[Sequence[str]], list[int]]

ESTIMATE = "an estimate: words, marks, and single characters of Chinese, Japanese, Thai and the like"
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_MARKS = "!-/:-@\\[-`{-~\u00a1-\u00bf\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20"
_TOKEN = re.compile(f"[{UNSPACED}{_MARKS}]|[^\\s{UNSPACED}{_MARKS}]+")
_SPECIALS = 2
_TEXTS_AT_ONCE = 2048


def estimated_tokens(texts: Sequence[str]) -> list[int]:
    """A token a word, a punctuation mark or a character of a script without spaces, and two around the text.

    Subword tokenizers cut rare words up, so that this is rather too low than too high.
    """
    return [sum(1 for _ in _TOKEN.finditer(text)) + _SPECIALS for text in texts]


def count_tokens(tokenizer: Path | None) -> CountTokens:
    """Counts by a tokenizer.json, what it puts around the text included, or the estimate when there is none.

    Raises DataError for a file that the tokenizers library cannot read.
    """
    if tokenizer is None:
        return estimated_tokens
    from tokenizers import Tokenizer  # noqa: PLC0415  not needed by the estimate

    try:
        loaded = Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # the library raises bare Exception
        raise DataError(f"{tokenizer} is not a tokenizer.json: {error}") from None
    loaded.no_truncation()
    loaded.no_padding()

    def counted(texts: Sequence[str]) -> list[int]:
        parts = (texts[at : at + _TEXTS_AT_ONCE] for at in range(0, len(texts), _TEXTS_AT_ONCE))
        return [len(encoded.ids) for part in parts for encoded in loaded.encode_batch_fast(list(part))]

    return counted


def tokenizer_file(path: Path) -> Path:
    """The tokenizer.json a path means: the file itself, that of a model's folder, or that of a run.

    Raises UsageError when there is none.
    """
    if path.is_file():
        return path
    for file in (path / "tokenizer.json", path / "model" / "tokenizer.json"):
        if file.is_file():
            return file
    raise UsageError(f"no tokenizer at {path}: give a tokenizer.json, or the folder of a model or run that has one")
