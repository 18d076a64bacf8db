"""Filters: which texts and images of the web are worth keeping, after Conceptual Captions (Sharma et al. 2018).

A rule is a name and a function; its thresholds are fields of `WebRules`. A rule that rejects gives its name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property, lru_cache
from itertools import pairwise

from pydantic import Field

from manyview.config import Config

__all__ = ["IMAGE_RULES", "TEXT_RULES", "WebRules"]


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SAYS_NOTHING = _set(
    "image images photo photos picture pictures pic pics img thumbnail thumb logo icon banner banners placeholder "
    "untitled default avatar null none undefined nan alt caption figure screenshot foto bild bilder abbildung "
    "imagen imagem 图片 圖片 照片 插图 配图 "
    "点击查看大图 点击放大 صورة фото изображение картинка 画像 写真 사진 이미지"
)
_DETERMINERS = _set(
    "a an the this that these those my your his her its our their some any each every no one two three four five "
    "six seven eight nine ten several many few all both another other"
)
_PREPOSITIONS = _set(
    "about above across after against along among around at before behind below beneath beside between beyond by "
    "down during for from in inside into like near of off on onto out outside over past through to toward under "
    "up upon with within without"
)
_ADDRESS = re.compile(
    r"https?:|www\.|\b[\w-]+\.(?:com|net|org|html?|php|aspx?|cn|de|co\.uk)\b|"
    r"[\w%-]+\.(?:jpe?g|png|gif|webp|svg|bmp|tiff?|avif|pdf)\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"[{};]\s*$|\{\{|\}\}|</?(?:a|b|br|div|em|font|img|li|p|script|span|strong|td)\b[^<]*>|function\s*\(\w*\)\s*\{|=>|&[a-z]{2,8};|%[A-Z_]+%|\[/[a-z]+\]|\$\{"
)
_CONTROL = re.compile(r"[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_MISREAD = re.compile(r"Ã[\x80-\xbf\u0192\u00a4\u00bc\u00b6]|â€")  # UTF-8 taken for Latin-1
_NOT_LETTERS = re.compile(r"(?:[^\w\u0300-\u036f\u0590-\u0fff]|[\d_])+")
_NOT_ASCII_LETTERS = bytes(of for of in range(128) if not chr(of).isalpha())
_NOT_ASCII_CAPITALS = bytes(of for of in range(128) if not chr(of).isupper())
_TWO_CAPITALS = re.compile(r"[^\W\d_a-zß-öø-ÿ]{2}")  # or letters without case, or with case beyond Latin-1
_MARKUP_SIGN = re.compile(r"[{}<>\[\]%&=$;]")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f\uac00-\ud7af]")
_WORD = re.compile(rf"{_WIDE.pattern}|[^\s{_WIDE.pattern[1:-1]}]+")
_LONGEST_NOTHING = 80
_STRICT = frozenset(("alt", "caption"))
_ONE_WORD = frozenset(("category", "filename", "heading", "title"))
_BOILERPLATE = (
    "click to enlarge",
    "click to view",
    "click for larger",
    "click here",
    "image may contain",
    "no photo description available",
    "image not available",
    "no image available",
    "photo coming soon",
    "embedded image permalink",
    "profile picture",
    "profile photo",
    "stock photo",
    "stock illustration",
    "royalty free",
    "all rights reserved",
    "advertisement",
    "opens in a new window",
    "zum vergrößern",
    "bild anzeigen",
    "alle rechte vorbehalten",
    "kein bild verfügbar",
    "cliquez pour agrandir",
    "haga clic para ampliar",
    "нажмите для увеличения",
    "点击查看",
    "点击放大",
    "查看大图",
    "暂无图片",
    "图片来源网络",
    "クリックして拡大",
    "انقر للتكبير",
)


class WebRules(Config):
    """The thresholds of the rules; a text rule concerns `alt` and `caption` unless it says more."""

    min_letters: int = Field(3, ge=0, description="letters a text of any kind must have; a CJK character counts as 2")
    min_words: int = Field(2, ge=0, description="words an alt text or caption must have; a CJK character counts as 1")
    max_words: int = Field(256, ge=1, description="words beyond which an alt text or caption is no description")
    max_capitalized_share: float = Field(
        0.8, ge=0, le=1, description="share of words in capital letters throughout, from four words on"
    )
    max_repeated_share: float = Field(
        0.5, ge=0, le=1, description="share of words that were said before in the same text, from four words on"
    )
    min_letter_share: float = Field(0.5, ge=0, le=1, description="share of letters among the visible characters")
    max_word_letters: int = Field(45, ge=1, description="letters of the longest word, where words are spaced")
    needs_determiner: bool = Field(
        False, description="an English alt text or caption needs a determiner or preposition"
    )
    max_content_share: float = Field(
        1.0, ge=0, le=1, description="share of words of an English text that are neither determiners nor prepositions"
    )
    boilerplate: tuple[str, ...] = Field(_BOILERPLATE, description="phrases of which a text must not mainly consist")
    max_pages_per_text: int = Field(
        10, ge=1, description="pages of one part on which a text may stand beside different images"
    )
    min_side_px: int = Field(64, ge=1, description="the shorter side of an image (Conceptual Captions: 400)")
    max_aspect: float = Field(4.0, ge=1, description="the longer side over the shorter (Conceptual Captions: 2)")
    max_page_bytes: int = Field(16 << 20, ge=1, description="longer pages are left out")
    max_images_per_page: int = Field(500, ge=1, description="images of one page beyond these are left out")
    max_context_chars: int = Field(600, ge=20, description="characters of the text around an image")

    @cached_property
    def phrases(self) -> tuple[str, ...]:
        """`boilerplate` without case, the longest first."""
        return tuple(sorted({phrase.casefold() for phrase in self.boilerplate if phrase}, key=len, reverse=True))

    def reject_text(self, text: str, kind: str, lang: str = "") -> str | None:
        """The name of the first rule that rejects a text of that kind, None if it may stay."""
        for name, rejects in _rules_for(kind):
            if rejects(self, text, lang):
                return name
        return None

    def reject_size(self, width_px: float | None, height_px: float | None) -> str | None:
        """The name of the first rule that rejects an image of that size; what is not known rejects nothing."""
        if width_px is None and height_px is None:
            return None
        for name, rejects in IMAGE_RULES.items():
            if rejects(self, width_px, height_px):
                return name
        return None


def _words(text: str) -> list[str]:
    """Words between spaces, a CJK character one each."""
    return text.split() if text.isascii() else _WORD.findall(text)


def _ascii_letters(text: str) -> int:
    return len(text.encode("ascii", "ignore").translate(None, _NOT_ASCII_LETTERS))


def _few_letters(rules: WebRules, text: str, lang: str) -> bool:
    if len(text) >= rules.min_letters and text[: rules.min_letters].isalpha():
        return False
    head = text[: 8 * rules.min_letters + 64]
    if _ascii_letters(head) >= rules.min_letters:
        return False
    head = _NOT_LETTERS.sub("", head)
    return len(head) + (0 if head.isascii() else len(_WIDE.findall(head))) < rules.min_letters


def _few_words(rules: WebRules, text: str, lang: str) -> bool:
    return len(text.split(None, rules.min_words)) < rules.min_words and len(_words(text)) < rules.min_words


def _many_words(rules: WebRules, text: str, lang: str) -> bool:
    return len(text) > rules.max_words and len(_words(text)) > rules.max_words


def _capitals(rules: WebRules, text: str, lang: str) -> bool:
    if text.isascii():
        if len(text.encode().translate(None, _NOT_ASCII_CAPITALS)) <= 4 * rules.max_capitalized_share:
            return False
    elif not _TWO_CAPITALS.search(text):
        return False
    words = text.split()
    capital = sum(word.isupper() and len(word) > 1 for word in words)
    if capital <= 4 * rules.max_capitalized_share:
        return False
    with_letters = sum(any(map(str.isalpha, word)) for word in words)
    return with_letters >= 4 and capital > rules.max_capitalized_share * with_letters


def _repeats(rules: WebRules, text: str, lang: str) -> bool:
    """Single CJK characters recur in good texts: pairs of them are counted instead."""
    wide = not text.isascii() and _WIDE.search(text) is not None
    words = _words(text.lower()) if wide else text.lower().split()
    if len(words) < 4:
        return False
    if wide:
        words = [one + other for one, other in pairwise(words)]
    return len(words) - len(set(words)) > rules.max_repeated_share * len(words)


def _letter_share(rules: WebRules, text: str, lang: str) -> bool:
    """Marks that belong to letters (Arabic, Hebrew, Thai, Hindi vowels) count as letters."""
    ascii_letters = _ascii_letters(text)
    if ascii_letters >= rules.min_letter_share * len(text):
        return False
    visible = "".join(text.split())
    letters = ascii_letters if text.isascii() else len(_NOT_LETTERS.sub("", visible))
    return letters < rules.min_letter_share * len(visible)


def _long_word(rules: WebRules, text: str, lang: str) -> bool:
    if len(text) <= rules.max_word_letters:
        return False
    longest = max(text.split(), key=len, default="")
    return len(longest) > rules.max_word_letters and not _WIDE.search(longest)


def _address(rules: WebRules, text: str, lang: str) -> bool:
    """An address, domain or file name that is more than a third of the text."""
    if "." not in text and ":" not in text:
        return False
    long = (word for word in text.split() if 3 * len(word) > len(text) and ("." in word or ":" in word))
    return any(map(_ADDRESS.search, long))


def _code(rules: WebRules, text: str, lang: str) -> bool:
    return _MARKUP_SIGN.search(text) is not None and _CODE.search(text) is not None


def _broken(rules: WebRules, text: str, lang: str) -> bool:
    if text.isascii() and text.isprintable():
        return False
    return _CONTROL.search(text) is not None or (("Ã" in text or "â" in text) and _MISREAD.search(text) is not None)


def _nothing(rules: WebRules, text: str, lang: str) -> bool:
    if len(text) > _LONGEST_NOTHING:
        return False
    for word in text.casefold().split():
        bare = word.strip(".,:;!?()[]#-_\"'")
        if bare and bare not in _SAYS_NOTHING and not bare.isdecimal():
            return False
    return True


def _boilerplate(rules: WebRules, text: str, lang: str) -> bool:
    folded = text.casefold()
    for phrase in rules.phrases:
        if 2 * len(phrase) < len(text):
            break
        if phrase in folded:
            return True
    return False


def _no_determiner(rules: WebRules, text: str, lang: str) -> bool:
    if not rules.needs_determiner or lang.partition("-")[0] != "en":
        return False
    return not {word.casefold() for word in re.findall(r"[A-Za-z]+", text)} & (_DETERMINERS | _PREPOSITIONS)


def _content_share(rules: WebRules, text: str, lang: str) -> bool:
    if rules.max_content_share >= 1 or lang.partition("-")[0] != "en":
        return False
    words = [word.casefold() for word in re.findall(r"[A-Za-z]+", text)]
    return len(words) >= 4 and sum(of not in _DETERMINERS | _PREPOSITIONS for of in words) > (
        rules.max_content_share * len(words)
    )


TextRule = Callable[[WebRules, str, str], bool]
TEXT_RULES: dict[str, tuple[frozenset[str] | None, TextRule]] = {
    "text: broken characters": (None, _broken),
    "text: too few letters": (None, _few_letters),
    "text: says nothing": (_STRICT | {"filename"}, _nothing),
    "text: mostly digits and signs": (_STRICT | _ONE_WORD | {"context"}, _letter_share),
    "text: an address or file name": (_STRICT | {"filename"}, _address),
    "text: code or markup": (_STRICT | {"title", "heading"}, _code),
    "text: boilerplate phrase": (_STRICT | {"title", "heading", "context"}, _boilerplate),
    "text: too few words": (_STRICT, _few_words),
    "text: too many words": (_STRICT, _many_words),
    "text: an overlong word": (_STRICT | {"filename"}, _long_word),
    "text: capital letters": (_STRICT, _capitals),
    "text: repeats itself": (_STRICT | {"context"}, _repeats),
    "text: no determiner or preposition": (_STRICT, _no_determiner),
    "text: content words only": (_STRICT, _content_share),
}


@lru_cache(maxsize=100)
def _rules_for(kind: str) -> tuple[tuple[str, TextRule], ...]:
    return tuple((name, rejects) for name, (kinds, rejects) in TEXT_RULES.items() if kinds is None or kind in kinds)


def _small(rules: WebRules, width_px: float | None, height_px: float | None) -> bool:
    return any(side is not None and side < rules.min_side_px for side in (width_px, height_px))


def _narrow(rules: WebRules, width_px: float | None, height_px: float | None) -> bool:
    if not width_px or not height_px:
        return False
    return max(width_px, height_px) > rules.max_aspect * min(width_px, height_px)


ImageRule = Callable[[WebRules, float | None, float | None], bool]
IMAGE_RULES: dict[str, ImageRule] = {"image: too small": _small, "image: too narrow": _narrow}
