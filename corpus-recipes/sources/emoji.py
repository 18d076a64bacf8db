"""Emoji: the same characters drawn by several vendors, described in many languages."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from drawing import Drawing, Vector
from packages import Package

from sources.emoji_texts import EmojiTexts, codes, concept, has_skin_tone, read_emoji_texts
from sources.iconify import IconSet, read_icon_set

CLIPPERTON = "\U0001f1e8\U0001f1f5"  # flies the flag of France, which some sets draw only once, for it
FRANCE = "\U0001f1eb\U0001f1f7"
SKIN_TONE_NAME = re.compile(r"-(light|medium|dark)(-skin-tone)?$")


@dataclass(frozen=True)
class Vendor:
    """A set of emoji drawings; `license` is the one of the drawings."""

    key: str
    package: Package
    license: str
    attribution: str


def _vendor(key: str, version: str, sha256: str, license: str, attribution: str) -> Vendor:
    return Vendor(key, Package("npm", f"@iconify-json/{key}", version, sha256), license, attribution)


FREE_VENDORS = (
    _vendor(
        "noto",
        "1.2.9",
        "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad",
        "Apache-2.0",
        "Google, Noto Emoji",
    ),
    _vendor(
        "noto-v1",
        "1.2.5",
        "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37",
        "Apache-2.0",
        "Google, Noto Emoji before 2017",
    ),
    _vendor(
        "twemoji",
        "1.2.5",
        "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7",
        "CC-BY-4.0",
        "Twitter and contributors, Twemoji",
    ),
    _vendor(
        "fluent-emoji-flat",
        "1.2.6",
        "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175",
        "MIT",
        "Microsoft, Fluent Emoji Flat",
    ),
    _vendor(
        "fluent-emoji",
        "1.2.7",
        "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b",
        "MIT",
        "Microsoft, Fluent Emoji",
    ),
    _vendor(
        "emojione",
        "1.2.3",
        "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e",
        "CC-BY-4.0",
        "Ranks.com and contributors, EmojiOne 2",
    ),
    _vendor(
        "fxemoji",
        "1.2.2",
        "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef",
        "CC-BY-4.0",
        "Mozilla Foundation, FxEmojis",
    ),
)
SHARE_ALIKE_VENDORS = (
    _vendor(
        "openmoji",
        "1.2.29",
        "03181e2c156cab35cf4a62f1f7886bd971d59212e75ac3f189d5a4cae3930fc5",
        "CC-BY-SA-4.0",
        "OpenMoji contributors",
    ),
)
CLDR = (
    Package(
        "npm",
        "cldr-annotations-full",
        "48.2.0",
        "28576e51225deb51e3ddd734b0f824a0079682cb5d8c27faa9f68149317a14d1",
    ),
    Package(
        "npm",
        "cldr-annotations-derived-full",
        "48.2.0",
        "4be946ff5815f806ec78b50363d577a769f2fbfb90c6380a44e161a92436996e",
    ),
)
EMOJIBASE = Package(
    "npm",
    "emojibase-data",
    "17.0.0",
    "d01d0e2ca4e22cb402679532155342c71e2e871f25c32223c013b8b166ebdf5a",
)


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
