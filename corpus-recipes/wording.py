"""Wording: names of files and identifiers become words people would say."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress

from manyview.corpus import Text
from manyview.corpus.fingerprint import normalized_text

CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
SEPARATORS = re.compile(r"[\s_/|]+|(?<!\s)-+(?!\s)")
LETTERS_DIGITS = re.compile(r"(?<=[^\W\d_]{2})(?=\d)")


def spoken(name: str) -> str:
    """`fire_truckRed-02` -> `fire truck Red`; a name that is only a number stays."""
    apart = CAMEL.sub(" ", repaired(html.unescape(name)))
    words = SEPARATORS.sub(" ", LETTERS_DIGITS.sub(" ", apart)).split()
    while len(words) > 1 and words[-1].isdigit():
        words.pop()
    return " ".join(words)


def sentence(text: str) -> str:
    """Prose with entities resolved and white space collapsed."""
    return " ".join(repaired(html.unescape(text)).split())


def repaired(text: str) -> str:
    """Without control characters, and with UTF-8 that was read as Latin-1 read again."""
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode("utf-8")
    return "".join(letter for letter in text if letter.isspace() or unicodedata.category(letter) != "Cc")


def distinct(words: Iterable[str], but_not: Iterable[str] = ()) -> list[str]:
    """In order, without empty ones and without repeats in another case or spacing."""
    seen = {normalized_text(word) for word in but_not} | {""}
    kept = []
    for word in words:
        if (key := normalized_text(word)) not in seen:
            seen.add(key)
            kept.append(word.strip())
    return kept


def tag_texts(tags: Iterable[str], lang: str) -> list[Text]:
    """One text of kind `tags` per tag."""
    return [Text("tags", tag, lang) for tag in tags]
