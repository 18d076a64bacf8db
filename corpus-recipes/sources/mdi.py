"""Material Design Icons: name, aliases, tags that are categories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package("npm", "@mdi/svg", "7.4.47", "de92e5dc9ce46c392ab5c53aa7190b19f82b40cb48872a083f788c7e13e91fef")
FAMILY = IconFamily("mdi", "Apache-2.0", "Pictogrammers and Google, Material Design Icons")


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon that is not deprecated."""
    for icon in json.loads((folder / "meta.json").read_text(encoding="utf-8")):
        if not icon["deprecated"]:
            name = icon["name"]
            svg = (folder / "svg" / f"{name}.svg").read_bytes()
            yield icon_drawing(FAMILY, name, svg, title=name, tags=icon["aliases"], categories=icon["tags"])
