"""Filename: the words in the name of an image's file."""

from __future__ import annotations

import re
from urllib.parse import unquote

from manyview.corpus.web.address import path_of

__all__ = ["filename_words"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SIZE_OR_CAMERA = re.compile(
    r"(?:\d{1,5}x\d{1,5}|\d+px|\d+w|x\d+|\d+x|w\d+|h\d+|q\d+|"
    r"(?:p?dscn?f?|img|imgp|p|pict|gopr|dji|vid|wp|pxl|mvimg|screenshot)\d*)$",
    re.IGNORECASE,
)
_CAMERAS = _set("dsc dscf dscn dscnf pdsc pdscf pdscn pdscnf img imgp p pict gopr dji vid wp pxl mvimg screenshot")
_SAYS_NOTHING = _set(
    "img image images photo photos pic picture thumb thumbnail scaled small medium large big orig original copy "
    "final default main hero banner untitled file upload web full min max hd crop cropped resized edited new tmp "
    "jpg jpeg png gif webp avif screenshot dsc wp and the of"
)
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_CUT = re.compile(r"(?<=[a-z])(?=[A-Z])|[\s_\-+.,()\[\]=&@~!]+")


def filename_words(address: str) -> str:
    """Words of at least one letter, sizes and camera numbers left out; empty when none says anything."""
    name = path_of(address).rpartition("/")[2]
    name = unquote(name, errors="replace") if "%" in name else name
    if "\ufffd" in name:
        return ""
    stem, point, suffix = name.rpartition(".")
    if point and 2 <= len(suffix) <= 5 and suffix.isascii() and suffix.isalnum():
        name = stem
    kept = [word for word in _CUT.split(name) if word and not _code(word)]
    return " ".join(kept) if any(map(_tells, kept)) else ""


def _tells(word: str) -> bool:
    return len(word) > (2 if word.isascii() else 1) and word.lower() not in _SAYS_NOTHING


def _code(word: str) -> bool:
    """A size, a camera's name, a number, a hash or an article's number rather than a word."""
    if not word.isascii():
        return _SIZE_OR_CAMERA.match(word) is not None
    if word.isalpha():
        return len(word) > 24 or word.lower() in _CAMERAS or (len(word) > 4 and not _VOWEL.search(word))
    if _SIZE_OR_CAMERA.match(word):
        return True
    digits = sum(map(str.isdigit, word))
    letters = sum(map(str.isalpha, word))
    return bool(digits) and (digits >= letters or len(word) > 8)
