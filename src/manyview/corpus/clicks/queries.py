"""Queries: when two of them are the same, and how one is shown."""

from __future__ import annotations

import unicodedata

__all__ = ["query_key", "tidy"]

_JOINERS = "\u200c\u200d"  # part of words in Persian and of emoji


def tidy(text: str) -> str:
    """Unicode NFC, control and invisible characters out, white space collapsed."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(map(_visible, unicodedata.normalize("NFC", text)))
    return " ".join(text.split())


def query_key(text: str) -> str:
    """Equal for queries that differ only in case, white space, compatibility forms or invisible characters."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    folded = unicodedata.normalize("NFKC", tidy(text)).casefold()
    return tidy(unicodedata.normalize("NFKC", folded))


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Cc":
        return " "
    return "" if category in ("Cf", "Cs") and char not in _JOINERS else char
