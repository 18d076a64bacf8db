"""Tabler Icons: tags and a category, outlined and filled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package("npm", "@tabler/icons", "3.51.0", "b30108713d3fa60aee862c2a133225da8e0f309be0708fe2925763ff810c766c")
FAMILY = IconFamily("tabler", "MIT", "Paweł Kuna, Tabler Icons")


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon in each of its styles."""
    for icon in json.loads((folder / "icons.json").read_text(encoding="utf-8")).values():
        for style in icon["styles"]:
            file = folder / "icons" / style / f"{icon['name']}.svg"
            if file.is_file():
                yield icon_drawing(
                    FAMILY,
                    icon["name"],
                    file.read_bytes(),
                    title=icon["name"],
                    tags=[str(tag) for tag in icon["tags"]],
                    categories=[icon["category"]],
                    style=style,
                )
