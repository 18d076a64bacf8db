"""Icon sets of Iconify: one JSON file with the bodies of all SVGs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class IconSet:
    """The icons of one set as whole SVG files, by name, with their other names and characters."""

    svgs: dict[str, bytes]
    aliases: dict[str, list[str]] = field(default_factory=dict)
    characters: dict[str, str] = field(default_factory=dict)

    def names_of(self, name: str) -> list[str]:
        """The name of an icon and its other names."""
        return [name, *self.aliases.get(name, [])]


def read_icon_set(folder: Path) -> IconSet:
    """Read `icons.json` and `chars.json`; aliases that turn or mirror an icon are other pictures."""
    icons = json.loads((folder / "icons.json").read_text(encoding="utf-8"))
    aliases: dict[str, list[str]] = {}
    for name, alias in icons.get("aliases", {}).items():
        if set(alias) == {"parent"}:
            aliases.setdefault(alias["parent"], []).append(name)
    characters: dict[str, str] = {}
    for codes, name in json.loads((folder / "chars.json").read_text(encoding="utf-8")).items():
        characters.setdefault(name, character(codes))
    svgs = {name: _svg(icon, icons) for name, icon in icons["icons"].items() if not icon.get("hidden")}
    return IconSet(svgs, aliases, characters)


def character(codes: str) -> str:
    """`1f1e6-1f1e8` -> the characters, without the emoji variation selector."""
    return "".join(chr(int(code, 16)) for code in codes.split("-")).replace("\ufe0f", "")


def _svg(icon: dict[str, Any], defaults: dict[str, Any]) -> bytes:
    def value(key: str, otherwise: int) -> int:
        number: int = icon.get(key, defaults.get(key, otherwise))
        return number

    width, height = value("width", 16), value("height", 16)
    box = f"{value('left', 0)} {value('top', 0)} {width} {height}"
    body = icon["body"].replace("currentColor", "#222")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box}" width="{width}" height="{height}">{body}</svg>'
    ).encode()
