"""Packages of emoji: who drew them, under which license, and where their texts come from."""

from __future__ import annotations

from dataclasses import dataclass

from packages import Package


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
