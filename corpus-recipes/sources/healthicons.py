"""Health Icons: titles, tags and a category, filled and outlined."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package("npm", "healthicons", "2.0.0", "7d29cfc4ffb495319c27b34c9ac96ddc9781c7b3dc3b96eef3d34fe4d3ef9f03")
FAMILY = IconFamily("healthicons", "MIT", "Resolve to Save Lives, Health Icons")
STYLES = ("filled", "outline")


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon in both styles."""
    root = folder / "public" / "icons"
    for icon in json.loads((root / "meta-data.json").read_text(encoding="utf-8")):
        for style in STYLES:
            file = root / "svg" / style / f"{icon['path']}.svg"
            if file.is_file():
                yield icon_drawing(
                    FAMILY,
                    icon["path"],
                    file.read_bytes(),
                    title=icon["title"],
                    tags=icon["tags"],
                    categories=[icon["category"]],
                    style=style,
                )
