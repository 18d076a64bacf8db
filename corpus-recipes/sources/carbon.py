"""Carbon icons and pictograms: friendly names, aliases and categories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

ICONS = Package("npm", "@carbon/icons", "11.89.0", "0700c375e42de275bd3f25e4d19966fa03f37d53b1e9f92055cb94b6ee4dd0b7")
PICTOGRAMS = Package(
    "npm", "@carbon/pictograms", "12.82.0", "04509c75e9759af7064a0817b04be09f4600147a43c8720b815034531ee2e548"
)


def drawings(folder: Path, key: str) -> Iterator[Drawing]:
    """Every icon of one of the two packages, in its first size; `key` names the package in ids."""
    family = IconFamily(key, "Apache-2.0", "IBM, Carbon Design System")
    for icon in json.loads((folder / "metadata.json").read_text(encoding="utf-8"))["icons"]:
        svg = icon["assets"][0].get("optimized", {}).get("data")
        if svg:
            yield icon_drawing(
                family,
                "/".join([*icon["namespace"], icon["name"]]),
                svg.encode(),
                title=icon["friendlyName"],
                tags=icon.get("aliases") or [],
                categories=[icon[key] for key in ("category", "subcategory") if icon.get(key)],
            )
