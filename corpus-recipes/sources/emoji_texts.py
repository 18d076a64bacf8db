"""What is said about an emoji: names and keywords of CLDR, groups and shortcodes of emojibase."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from wording import distinct, spoken, tag_texts

from manyview.corpus import Text
from sources.iconify import character

LANGUAGES = ("en", "zh", "es", "fr", "de", "pt", "ru", "ja", "ko", "ar", "hi", "it", "id")
SHORTCODES = ("emojibase", "github", "iamcal")
SKIN_TONES = re.compile("[\U0001f3fb-\U0001f3ff]")
PEOPLE = "people & body"
MEMBERS_LISTED = {"family", "kiss", "couple with heart"}
GENDERS = re.compile(r"\b(and|man|woman|men|women|person|people|boy|girl|child)\b")
FACING = re.compile(r",? facing (right|left)$")


@dataclass
class EmojiTexts:
    """Everything said about one character, by language where it has one."""

    names: dict[str, str] = field(default_factory=dict)
    keywords: dict[str, list[str]] = field(default_factory=dict)
    shortcodes: list[str] = field(default_factory=list)
    group: str = ""
    subgroup: str = ""

    def texts(self, languages: Sequence[str] = LANGUAGES) -> tuple[Text, ...]:
        """Title and tags in each language, English first, then the category in English."""
        said: list[Text] = []
        for lang in languages:
            if lang not in self.names:
                continue
            tags = distinct(self.keywords.get(lang, []), but_not=[self.names[lang]])
            if lang == "en":
                tags += self._new_words(tags)
            said += [Text("title", self.names[lang], lang), *tag_texts(tags, lang)]
        category = ", ".join(part for part in (self.group, self.subgroup) if part)
        return (*said, Text("category", category, "en")) if category else tuple(said)

    def _new_words(self, tags: Sequence[str]) -> list[str]:
        """Shortcodes that bring a word which neither the name nor a keyword has."""
        known = set(_words(" ".join([self.names.get("en", ""), *tags])))
        return [code for code in distinct(self.shortcodes) if any(len(word) > 2 for word in set(_words(code)) - known)]


def read_emoji_texts(annotations: Sequence[Path], emojibase: Path) -> dict[str, EmojiTexts]:
    """By character without variation selector, for those with an English name.

    `annotations` are folders with one folder a language.
    """
    by_character: dict[str, EmojiTexts] = {}
    for folder in annotations:
        for lang in LANGUAGES:
            file = folder / lang / "annotations.json"
            if file.is_file():
                _add_annotations(by_character, lang, json.loads(file.read_text(encoding="utf-8")))
    _add_groups(by_character, emojibase)
    for kind in SHORTCODES:
        codes = json.loads((emojibase / "en" / "shortcodes" / f"{kind}.json").read_text(encoding="utf-8"))
        for hexcode, names in codes.items():
            known = by_character.get(character(hexcode))
            if known is not None:
                known.shortcodes += [spoken(name) for name in ([names] if isinstance(names, str) else names)]
    return {char: texts for char, texts in by_character.items() if "en" in texts.names}


def concept(char: str, said: EmojiTexts) -> str:
    """The same for a character and its variants by gender, direction and family members."""
    if said.group != PEOPLE:
        return codes(char)
    name = FACING.sub("", said.names["en"])
    base, _, detail = name.partition(":")
    if base in MEMBERS_LISTED:
        return base
    return " ".join(GENDERS.sub(" ", f"{base} {detail}").split()) or "person"


def codes(char: str) -> str:
    """`1f1e6-1f1e8` for the two characters of a flag."""
    return "-".join(f"{ord(part):x}" for part in char)


def has_skin_tone(char: str) -> bool:
    """Whether a character shows a chosen skin tone."""
    return len(char) > 1 and SKIN_TONES.search(char) is not None


def _add_annotations(by_character: dict[str, EmojiTexts], lang: str, content: dict[str, Any]) -> None:
    (root,) = content.values()
    for char, said in root["annotations"].items():
        known = by_character.setdefault(char.replace("\ufe0f", ""), EmojiTexts())
        if said.get("tts"):
            known.names[lang] = said["tts"][0]
        known.keywords[lang] = said.get("default", [])


def _add_groups(by_character: dict[str, EmojiTexts], emojibase: Path) -> None:
    messages = json.loads((emojibase / "en" / "messages.json").read_text(encoding="utf-8"))
    groups = {group["order"]: group["message"] for group in messages["groups"]}
    subgroups = {group["order"]: group["key"].replace("-", " ") for group in messages["subgroups"]}
    for emoji in json.loads((emojibase / "en" / "data.json").read_text(encoding="utf-8")):
        known = by_character.get(character(emoji["hexcode"]))
        if known is not None and "group" in emoji:
            known.group, known.subgroup = groups[emoji["group"]], subgroups[emoji["subgroup"]]


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.casefold())
