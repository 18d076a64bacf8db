"""Lucide: tags."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package("npm", "lucide-static", "1.62.0", "386f9080c440d6f5049cefe3456ae8357f7a0c7f76e59670cd1cb83bc7050a44")
FAMILY = IconFamily("lucide", "ISC", "Lucide contributors")


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon that has tags."""
    for name, tags in json.loads((folder / "tags.json").read_text(encoding="utf-8")).items():
        file = folder / "icons" / f"{name}.svg"
        if file.is_file():
            yield icon_drawing(FAMILY, name, file.read_bytes(), title=name, tags=tags)
