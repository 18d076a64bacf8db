"""Drawings of other makers than the starter corpus's, to judge models that never met them. A test split, not shipped.

python corpus-recipes/unseen.py --out DIR [--cache DIR] [--side PIXELS]

Black icons of four sets, and Tux Paint's stamps, which are photographs and drawings. All have a title and tags in
other words, so that "picture and title, asked by tags" can be measured. Every set is a source of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from assemble import connect
from describe import describe, readme
from drawing import Drawing
from packages import Package, unpacked
from render import render_all
from run import run
from sources import fontawesome, healthicons, lucide, phosphor, tuxpaint
from sources.icon import base_icons

from manyview.corpus import write_corpus

SIDE_PX = 80
QUALITY = 70
LETTERS = "tuxpaint/symbols/alphabets/"
ICON_SETS: dict[str, tuple[Package, Callable[[Path], Iterator[Drawing]], str]] = {
    "phosphor": (phosphor.PACKAGE, phosphor.drawings, "fill/"),
    "fontawesome": (fontawesome.PACKAGE, fontawesome.drawings, "solid/"),
    "lucide": (lucide.PACKAGE, lucide.drawings, ""),
    "healthicons": (healthicons.PACKAGE, healthicons.drawings, "filled/"),
}


def build(out: Path, cache: Path, side: int) -> None:
    """Fetch, render, write."""
    dropped: dict[str, Counter[str]] = {source: Counter() for source in (*ICON_SETS, "tuxpaint", "all")}
    drawn: dict[str, list[Drawing]] = {}
    for source, (package, drawings, style) in ICON_SETS.items():
        icons = drawings(unpacked(package, cache) / "package")
        styled = [icon for icon in icons if icon.id.startswith(f"icons/{source}/{style}")]
        drawn[source] = list(base_icons(source, styled, dropped[source]))
    stamps = list(tuxpaint.drawings(unpacked(tuxpaint.PACKAGE, cache), dropped["tuxpaint"]))
    drawn["tuxpaint"] = [stamp for stamp in stamps if not stamp.id.startswith(LETTERS)]
    dropped["tuxpaint"]["a letter"] += len(stamps) - len(drawn["tuxpaint"])
    rendered = [pair for source in drawn for pair in render_all(drawn[source], side, QUALITY, dropped[source])]
    items = connect(rendered, dropped["all"])
    splits = {"test": [item.record for item in items]}
    packages = [*(package for package, _, _ in ICON_SETS.values()), tuxpaint.PACKAGE]
    about = describe(items, splits, dropped, packages) | {"image_side_px": side, "webp_quality": QUALITY}
    write_corpus(out, splits, name="unseen", about=about)
    text = readme("Drawings never trained on", "corpus-recipes/unseen.py", about)
    (out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(run(__doc__, build, SIDE_PX))
