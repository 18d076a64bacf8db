"""Texts: one text, repaired and put into one form, or the reason why it says nothing."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Literal

from pydantic import Field, model_validator

from manyview.config import Config

__all__ = ["TextRules", "clean_text", "cut_at_boundary"]

_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_BROKEN = "\ufffd"
_LONE = re.compile(rb"(?:\xed[\xa0-\xbf][\x80-\xbf])+")
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b05-\u2b55"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_TAGS = "\U000e0020-\U000e007f"
_JOINING = (  # Arabic, Syriac, Indic, Burmese, Khmer, Mongolian
    "\u0600-\u08ff\u0900-\u0dff\u1000-\u109f\u1780-\u17ff\u1800-\u18af\ufb50-\ufdff\ufe70-\ufefc"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls that are not white space
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"  # format, bidi
    "\ue000-\uf8ff\U000f0000-\U0010ffff\ufdd0-\ufdef\ufffe\uffff]"  # private use, no characters
    f"|(?<![{_EMOJI}\ufe0f{_TAGS}{_JOINING}])\u200d|\u200d(?![{_EMOJI}{_JOINING}])"  # joiners that join nothing
    f"|(?<![{_JOINING}])\u200c|\u200c(?![{_JOINING}])"
    f"|(?<![\U0001f3f4{_TAGS}])[{_TAGS}]"
    rf"|(?:(?<=\s)|(?<![\s\S]))[{_SELECTORS}]+"  # selectors that select nothing
)
_SOMETHING = re.compile(f"[^\\W_]|[{_EMOJI}\U0001f1e6-\U0001f1ff]")
_EXTENDS = re.compile(f"[\u0300-\u036f\u200c\u200d\u20d0-\u20ff{_SELECTORS}{_TAGS}\U0001f3fb-\U0001f3ff]")
_REGIONAL = re.compile("[\U0001f1e6-\U0001f1ff]+$")
_MOST_READ = 16  # times the longest text allowed
_MOST_BROKEN = 0.1
_BACK = 0.7


class TextRules(Config):
    """What a text has to be, and how long it may be, in characters."""

    min_chars: int = Field(1, ge=1, description="shorter texts are left out")
    max_chars: int = Field(1024, ge=8, description="longer texts are cut, between words where there are any")
    unescape_html: bool = Field(True, description="turn &amp; and its kind into the characters they stand for")
    broken_utf8: Literal["repair", "drop"] = Field(
        "repair", description="repair: leave out the broken characters, unless they are more than one in ten"
    )
    nothing: tuple[str, ...] = Field(
        ("nan", "null", "none", "n/a", "undefined", "<na>"),
        description="whole texts that stand for no text, in lower case",
    )
    need_word: bool = Field(True, description="leave out texts without a letter, a digit or an emoji")

    @model_validator(mode="after")
    def _ordered(self) -> TextRules:
        if self.min_chars > self.max_chars:
            raise ValueError(f"min_chars is {self.min_chars}, allowed: at most max_chars, {self.max_chars}")
        return self


def clean_text(text: str | bytes, rules: TextRules) -> tuple[str, str | None]:
    """The text in Unicode NFC on one line, and None; or "" and the reason why it is left out.

    Control, zero-width and direction characters go; emoji keep their joiners, selectors and skin tones, and scripts
    that need joiners keep theirs. Of a text far beyond `max_chars` only the beginning is read.
    """
    text, broken = _decoded(text, _MOST_READ * rules.max_chars)
    if broken:
        if rules.broken_utf8 == "drop" or text.count(_BROKEN) > _MOST_BROKEN * len(text):
            return "", "text: broken UTF-8"
        text = text.replace(_BROKEN, "")
    if rules.unescape_html and "&" in text:
        text = _ENTITY.sub(lambda entity: html.unescape(entity.group()), text)
    text = _in_one_form(text)
    if len(text) > rules.max_chars:
        text = cut_at_boundary(text, rules.max_chars)
    reason = _reason_against(text, rules)
    return ("", reason) if reason else (text, None)


def cut_at_boundary(text: str, max_chars: int) -> str:
    """The first `max_chars` characters at most, cut between words if a word ends in the last third, never in a cluster.

    The text is longer than that.
    """
    space = text.rfind(" ", int(max_chars * _BACK), max_chars + 1)
    if space > 0:
        return text[:space]
    end = max_chars
    while end > 0 and (_EXTENDS.match(text, end) or text[end - 1] == "\u200d"):
        end -= 1
    flags = _REGIONAL.search(text, 0, end)
    if flags and len(flags.group()) % 2 and _REGIONAL.match(text[end : end + 1]):
        end -= 1
    return text[: end or max_chars].rstrip()


def _decoded(text: str | bytes, most_chars: int) -> tuple[str, bool]:
    """The beginning of a text, U+FFFD where it is broken, surrogate pairs joined; and whether any was broken."""
    if isinstance(text, str):
        text = text[:most_chars]
        if not _SURROGATE.search(text):
            return text, _BROKEN in text
        text = text.encode("utf-8", "surrogatepass")
    text = _whole_characters(text, 4 * most_chars)
    try:
        decoded = text.decode()
    except UnicodeDecodeError:
        decoded = _LONE.sub(_joined, text).decode("utf-8", "replace")
    return decoded[:most_chars], _BROKEN in decoded


def _joined(units: re.Match[bytes]) -> bytes:
    """Surrogates written as if they were characters: pairs become what they mean, lone ones U+FFFD."""
    two_byte = units.group().decode("utf-8", "surrogatepass").encode("utf-16-le", "surrogatepass")
    return two_byte.decode("utf-16-le", "replace").encode()


def _whole_characters(data: bytes, most: int) -> bytes:
    """The first bytes, without the beginning of a character that is cut."""
    if len(data) <= most:
        return data
    end = next((end for end in range(most, most - 4, -1) if data[end] & 0xC0 != 0x80), most)
    return data[:end]


def _in_one_form(text: str) -> str:
    """What is visible in NFC, white space collapsed; each may bring about the other, so until nothing changes."""
    while True:
        once = " ".join(_INVISIBLE.sub("", unicodedata.normalize("NFC", text)).split())
        if once == text:
            return text
        text = once


def _reason_against(text: str, rules: TextRules) -> str | None:
    if not text:
        return "text: empty"
    if text.lower() in rules.nothing:
        return "text: stands for no text"
    if len(text) < rules.min_chars:
        return "text: too short"
    if rules.need_word and not _SOMETHING.search(text):
        return "text: without a word"
    return None
