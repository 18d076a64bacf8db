"""Objects of Cataclysm: Dark Days Ahead: JSON with inheritance, and gettext translations."""

from __future__ import annotations

import gettext
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wording import sentence

KINDS = {
    *("GENERIC", "ARMOR", "TOOL", "TOOL_ARMOR", "PET_ARMOR", "COMESTIBLE", "BOOK", "CONTAINER", "BATTERY"),
    *("AMMO", "MAGAZINE", "GUN", "GUNMOD", "TOOLMOD", "ENGINE", "WHEEL", "BIONIC_ITEM"),
    *("MONSTER", "furniture", "terrain", "vehicle_part", "trap", "field_type"),
}
LANGUAGES = {
    **{
        "es_ES": "es",
        "ru": "ru",
        "ja": "ja",
        "zh_CN": "zh",
        "de": "de",
        "fr": "fr",
        "pt_BR": "pt",
        "pl": "pl",
    },
    **{"ko": "ko", "hu": "hu", "it_IT": "it", "tr": "tr"},
}
MAX_FLAGS = 4
MARKUP = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class GameObject:
    """What the game says about one id, inheritance resolved."""

    name: str
    description: str
    tags: tuple[str, ...]
    category: str


def read_objects(folder: Path) -> dict[str, GameObject]:
    """By id, for kinds that can be drawn and have a name."""
    concrete: dict[str, dict[str, Any]] = {}
    abstract: dict[str, dict[str, Any]] = {}
    for entry in _entries(folder):
        if entry.get("type") in KINDS:
            if isinstance(entry.get("abstract"), str):
                abstract.setdefault(entry["abstract"], entry)
            for key in _strings(entry.get("id")):
                concrete.setdefault(key, entry)
    known = {key: _described(_inherited(entry, abstract, concrete)) for key, entry in concrete.items()}
    return {key: thing for key, thing in known.items() if thing.name}


def read_translations(locales: Path) -> dict[str, dict[str, str]]:
    """English to translation, by language code."""
    catalogs: dict[str, dict[str, str]] = {}
    for locale, lang in LANGUAGES.items():
        with (locales / locale / "LC_MESSAGES" / "cataclysm-dda.mo").open("rb") as file:
            messages = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]
        catalog: dict[str, str] = {}
        for key, translated in messages.items():
            english = key[0] if isinstance(key, tuple) else key
            if isinstance(translated, str) and translated:
                catalog.setdefault(english.split("\x04")[-1], translated)
        catalogs[lang] = catalog
    return catalogs


def _entries(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.rglob("*.json")):
        if "obsolet" not in file.as_posix():
            content = json.loads(file.read_text(encoding="utf-8"))
            yield from (entry for entry in (content if isinstance(content, list) else [content]) if entry)


def _inherited(
    entry: dict[str, Any], abstract: dict[str, dict[str, Any]], concrete: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """The entry on top of what it copies from, to any depth."""
    chain = [entry]
    while parent := chain[-1].get("copy-from"):
        above = abstract.get(parent) or concrete.get(parent)
        if above is None or any(above is known for known in chain):
            break
        chain.append(above)
    merged: dict[str, Any] = {}
    for level in reversed(chain):
        merged |= level
    return merged


def _described(entry: dict[str, Any]) -> GameObject:
    flags = [flag.casefold().replace("_", " ") for flag in _strings(entry.get("flags"))[:MAX_FLAGS]]
    made_of = [word.casefold() for key in ("material", "species") for word in _strings(entry.get(key))]
    kinds = [str(entry["type"]).casefold().replace("_", " "), *_strings(entry.get("category"))[:1]]
    return GameObject(
        name=_string(entry.get("name")),
        description=_string(entry.get("description")),
        tags=(*made_of, *flags),
        category=", ".join(dict.fromkeys(kind.casefold().replace("_", " ") for kind in kinds)),
    )


def clean(text: str) -> str:
    """Prose without color markup."""
    return sentence(MARKUP.sub("", text))


def _string(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("str") or value.get("str_sp")
    return value if isinstance(value, str) else ""


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [item for item in values if isinstance(item, str) and item]
