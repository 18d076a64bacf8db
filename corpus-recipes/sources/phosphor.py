"""Phosphor Icons: tags and categories in a JavaScript module, several weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package(
    "npm", "@phosphor-icons/core", "2.1.1", "313332be6190b724da24107addd781799b48bf76b13963f24501112ffe1baadd"
)
FAMILY = IconFamily("phosphor", "MIT", "Phosphor Icons")
STYLES = ("regular", "fill", "duotone")
CATEGORY_TABLE = re.compile(r"\be = .*?\(e \|\| \{\}\)", re.DOTALL)
CATEGORY = re.compile(r'i\.([A-Z]+) = "([^"]+)"')
ENTRY = re.compile(r'name: "([^"]+)",.*?categories: \[(.*?)\],.*?tags: \[(.*?)\]', re.DOTALL)


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon in three weights that look different."""
    module = (folder / "dist" / "index.mjs").read_text(encoding="utf-8")
    for name, categories, tags in entries(module):
        for style in STYLES:
            suffix = "" if style == "regular" else f"-{style}"
            file = folder / "assets" / style / f"{name}{suffix}.svg"
            if file.is_file():
                yield icon_drawing(
                    FAMILY, name, file.read_bytes(), title=name, tags=tags, categories=categories, style=style
                )


def entries(module: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Name, categories and tags of each icon of the module."""
    table = CATEGORY_TABLE.search(module)
    names = dict(CATEGORY.findall(table[0])) if table else {}
    for name, categories, tags in ENTRY.findall(module):
        yield (
            name,
            [names.get(key, key) for key in re.findall(r"e\.([A-Z]+)", categories)],
            re.findall(r'"([^"]+)"', tags),
        )
