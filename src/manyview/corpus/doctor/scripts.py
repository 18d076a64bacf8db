"""Scripts: in which writing a text is, where nobody says which language."""

from __future__ import annotations

import re

__all__ = ["script_of"]

_RANGES = {
    "Latin": "A-Za-z\u00c0-\u024f\u1e00-\u1eff",
    "Cyrillic": "\u0400-\u052f",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "Hebrew": "\u0590-\u05ff",
    "Devanagari": "\u0900-\u097f",
    "Thai": "\u0e00-\u0e7f",
    "Hangul": "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af",
    "Kana": "\u3040-\u30ff\u31f0-\u31ff",
    "Han": "\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
_LETTERS = {script: re.compile(f"[{letters}]") for script, letters in _RANGES.items()}
_LOOKED_AT = 200


def script_of(text: str) -> str:
    """The script of most letters at the start of a text; "other" of letters not listed, "no letters" of none.

    Any Kana makes it "Japanese", as Japanese mixes it with Han.
    """
    start = text[:_LOOKED_AT]
    if start.isascii():
        return "Latin" if _LETTERS["Latin"].search(start) else "no letters"
    counts = {script: len(letters.findall(start)) for script, letters in _LETTERS.items()}
    if counts["Kana"]:
        return "Japanese"
    best = max(counts, key=lambda script: counts[script])
    if counts[best]:
        return best
    return "other" if any(character.isalpha() for character in start) else "no letters"
