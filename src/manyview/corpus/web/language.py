"""Language: what a page says its language is, believed as far as the script of the text allows."""

from __future__ import annotations

import re
from functools import lru_cache

from manyview.corpus.cleaning.language import LanguageRules, guessed_language, is_short_latin

__all__ = ["detect_language", "text_language"]

_TAG = re.compile(r"^([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?(?:$|[-_@.;, ])")
_SCRIPTS = (
    ("han", re.compile(r"[\u3400-\u9fff]"), ("zh", "ja", "ko", "yue", "wuu", "lzh")),
    ("kana", re.compile(r"[\u3041-\u30ff]"), ("ja",)),
    ("hangul", re.compile(r"[\u1100-\u11ff\uac00-\ud7af]"), ("ko",)),
    ("arabic", re.compile(r"[\u0600-\u06ff\u0750-\u077f]"), ("ar", "fa", "ur", "ps", "ckb", "ug", "sd", "ks")),
    ("hebrew", re.compile(r"[\u0590-\u05ff]"), ("he", "iw", "yi")),
    ("thai", re.compile(r"[\u0e00-\u0e7f]"), ("th",)),
    ("greek", re.compile(r"[\u0370-\u03ff]"), ("el",)),
    (
        "cyrillic",
        re.compile(r"[\u0400-\u04ff]"),
        ("ru", "uk", "bg", "sr", "mk", "be", "kk", "ky", "mn", "tg", "tt", "uz", "az", "ba", "cv", "os", "ce"),
    ),
    (
        "devanagari",
        re.compile(r"[\u0900-\u097f]"),
        ("hi", "mr", "ne", "sa", "bho", "mai", "gom", "new"),
    ),
)
_WRITTEN_ELSEWISE = frozenset(language for _, _, languages in _SCRIPTS for language in languages)
_ELSEWISE = re.compile(r"[\u0370-\u1fff\u3041-\u9fff\uac00-\ud7af]")
_SHORT_LETTERS = LanguageRules().short_letters
_MOST_READ, _LEAST_SURE, _LONGEST_TAG = 80, 0.3, 40


def text_language(text: str, declared: str = "") -> str:
    """A BCP-47 tag: the declared one if the text is in a script of that language, else what the text looks like."""
    tag = _normal(declared[:_LONGEST_TAG])
    if tag and _plausible(text, tag.partition("-")[0]):
        return tag
    return detect_language(text)


def detect_language(text: str) -> str:
    """The language a text is most likely in, "" when the text is too short or it may be any."""
    if len(text.encode("utf-8", "ignore")) < 9:
        return ""
    if _only_han(text[:1000]):
        return "zh"
    if is_short_latin(text[:_MOST_READ], _SHORT_LETTERS):
        return ""
    code, score = guessed_language(text[:_MOST_READ].encode("utf-8", "replace").decode())
    return code if score >= _LEAST_SURE else ""


def _only_han(text: str) -> bool:
    """Han without any kana: what detectors take for Japanese now and then."""
    if text.isascii():
        return False
    (_, han, _), (_, kana, _) = _SCRIPTS[:2]
    found = len(han.findall(text))
    return found > 0 and 2 * found > sum(map(str.isalpha, text)) and not kana.search(text)


@lru_cache(maxsize=1000)
def _normal(declared: str) -> str:
    found = _TAG.match(declared.strip())
    if not found:
        return ""
    language, script, region = found.groups()
    parts = [language.lower(), script.title() if script else "", region.upper() if region else ""]
    return "-".join(part for part in parts if part)


def _plausible(text: str, language: str) -> bool:
    """Whether the script that most of the letters are in belongs to the language."""
    if text.isascii():
        return language not in _WRITTEN_ELSEWISE or sum(map(str.isalpha, text)) < 20
    head = text[:400]
    if not _ELSEWISE.search(head):
        return language not in _WRITTEN_ELSEWISE
    letters = sum(map(str.isalpha, head))
    for _, pattern, languages in _SCRIPTS:
        if len(pattern.findall(head)) > 0.5 * letters:
            return language in languages
    return True
