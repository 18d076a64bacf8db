"""Emoji: the same characters drawn by several vendors, described in many languages."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from drawing import Drawing, Vector
from packages import Package

from sources.emoji_texts import EmojiTexts, codes, concept, has_skin_tone, read_emoji_texts
from sources.emoji_vendors import CLDR, EMOJIBASE, Vendor
from sources.iconify import IconSet, read_icon_set

CLIPPERTON = "\U0001f1e8\U0001f1f5"  # flies the flag of France, which some sets draw only once, for it
FRANCE = "\U0001f1eb\U0001f1f7"
SKIN_TONE_NAME = re.compile(r"-(light|medium|dark)(-skin-tone)?$")


def emoji_drawings(
    vendors: Sequence[Vendor], folder_of: Callable[[Package], Path], dropped: Counter[str]
) -> Iterator[Drawing]:
    """Every vendor's drawing of every character that has an English name, skin tones left out."""
    annotations = [
        folder_of(CLDR[0]) / "package" / "annotations",
        folder_of(CLDR[1]) / "package" / "annotationsDerived",
    ]
    said = read_emoji_texts(annotations, folder_of(EMOJIBASE) / "package")
    sets = {vendor.key: read_icon_set(folder_of(vendor.package) / "package") for vendor in vendors}
    by_name = characters_by_name(sets.values(), said)
    for vendor in vendors:
        icons = sets[vendor.key]
        drawn: set[str] = set()
        for name, svg in icons.svgs.items():
            char = character_of(name, icons, by_name)
            if has_skin_tone(char) if char else SKIN_TONE_NAME.search(name):
                dropped["skin tone"] += 1
            elif char is None or char not in said:
                dropped["no character or name"] += 1
            elif char in drawn:
                dropped["second drawing of a character"] += 1
            else:
                drawn.add(char)
                yield _drawing(vendor, char, svg, said[char])


def character_of(name: str, icons: IconSet, by_name: Mapping[str, str]) -> str | None:
    """The character an icon shows, by the table of its set or by its names."""
    char = icons.characters.get(name)
    if char is None:
        char = next((by_name[key] for key in map(_squeezed, icons.names_of(name)) if key in by_name), None)
    return FRANCE if char == CLIPPERTON else char


def characters_by_name(sets: Iterable[IconSet], said: Mapping[str, EmojiTexts]) -> dict[str, str]:
    """Characters by the names that sets without a character table use, the most reliable names first."""
    by_name: dict[str, str] = {}
    for char, texts in said.items():
        by_name.setdefault(_squeezed(texts.names["en"]), char)
    for icons in sets:
        for name, char in icons.characters.items():
            for also in icons.names_of(name):
                by_name.setdefault(_squeezed(also), char)
    for char, texts in said.items():
        for other in (*texts.shortcodes, unicodedata.name(char, "") if len(char) == 1 else ""):
            by_name.setdefault(_squeezed(other), char)
    return by_name


def _squeezed(name: str) -> str:
    """Letters and digits without accents: `flag-for-aland-islands` and `flag: Åland Islands` are equal."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("&", "and"))
    return "".join(letter for letter in plain if letter.isalnum()).replace("flagfor", "flag", 1)


def _drawing(vendor: Vendor, char: str, svg: bytes, said: EmojiTexts) -> Drawing:
    return Drawing(
        id=f"emoji/{vendor.key}/{codes(char)}",
        group=f"emoji/{concept(char, said)}",
        picture=Vector(svg),
        texts=said.texts(),
        source="emoji",
        license=vendor.license,
        attribution=vendor.attribution,
    )
