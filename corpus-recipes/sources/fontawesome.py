"""Font Awesome Free: labels, search terms and categories."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import yaml
from drawing import Drawing
from packages import Package

from sources.icon import IconFamily, icon_drawing

PACKAGE = Package(
    "npm",
    "@fortawesome/fontawesome-free",
    "7.3.1",
    "ca4e32843bd81711894385c2466fb19c55cfd32ef3c58830b2d1df7bd42e6571",
)
FAMILY = IconFamily("fontawesome", "CC-BY-4.0", "Fonticons, Font Awesome Free")
TRADEMARKS = "brands"


def drawings(folder: Path) -> Iterator[Drawing]:
    """Every icon in each free style but the logos of brands."""
    categories: dict[str, list[str]] = {}
    for category in yaml.safe_load((folder / "metadata/categories.yml").read_text(encoding="utf-8")).values():
        for name in category["icons"]:
            categories.setdefault(str(name), []).append(category["label"])
    icons = json.loads((folder / "metadata/icon-families.json").read_text(encoding="utf-8"))
    for name, icon in icons.items():
        aliases = icon.get("aliases", {}).get("names", [])
        for styles in icon["svgs"].values():
            for style, drawn in styles.items():
                if style != TRADEMARKS:
                    yield icon_drawing(
                        FAMILY,
                        name,
                        drawn["raw"].encode(),
                        title=icon["label"],
                        tags=[*map(str, icon["search"]["terms"]), *aliases],
                        categories=categories.get(name, []),
                        style=style,
                    )
