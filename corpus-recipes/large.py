"""The large corpus: emoji, icons, clip art and game tiles; share-alike licenses included, so not shipped.

python corpus-recipes/large.py --out DIR [--cache DIR] [--side PIXELS]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from assemble import connect, split
from describe import describe, readme
from drawing import Drawing
from packages import Package, unpacked
from render import render_all
from run import run
from sources import carbon, cdda, fontawesome, healthicons, lucide, mdi, phosphor, tabler
from sources.emoji import emoji_drawings
from sources.emoji_vendors import CLDR, EMOJIBASE, FREE_VENDORS, SHARE_ALIKE_VENDORS
from sources.openclipart import OPENCLIPART, openclipart_drawings

from manyview.corpus import write_corpus

SEED = 0
SIDE_PX = 64
QUALITY = 75
MAX_SHARD_BYTES = 32 << 20
MAX_HELD_OUT = 60
SHARE = {"train": 0.88, "val": 0.02, "test": 0.10}
SOURCES = ("emoji", "openclipart", "cdda", "icons")
VENDORS = (*FREE_VENDORS, *SHARE_ALIKE_VENDORS)
ICON_SETS: tuple[tuple[Package, Callable[[Path], Iterator[Drawing]]], ...] = (
    (mdi.PACKAGE, mdi.drawings),
    (tabler.PACKAGE, tabler.drawings),
    (lucide.PACKAGE, lucide.drawings),
    (phosphor.PACKAGE, phosphor.drawings),
    (fontawesome.PACKAGE, fontawesome.drawings),
    (carbon.ICONS, partial(carbon.drawings, key="carbon-icons")),
    (carbon.PICTOGRAMS, partial(carbon.drawings, key="carbon-pictograms")),
    (healthicons.PACKAGE, healthicons.drawings),
)


def build(out: Path, cache: Path, side: int) -> None:
    """Fetch, render, split, write."""
    started = time.monotonic()
    dropped: dict[str, Counter[str]] = {source: Counter() for source in (*SOURCES, "all")}
    rendered = []
    for source in SOURCES:
        drawings = list(source_drawings(source, cache, dropped[source]))
        rendered += render_all(drawings, side, QUALITY, dropped[source])
        print(f"{time.monotonic() - started:.0f} s: {source}, {len(rendered)} images so far", file=sys.stderr)
    items = connect(rendered, dropped["all"], several_names_per_picture=True)
    splits = split(items, dict.fromkeys(SOURCES, SHARE), MAX_HELD_OUT, SEED)
    packages = [
        *(vendor.package for vendor in VENDORS),
        *(package for package, _ in ICON_SETS),
        *(*CLDR, EMOJIBASE, OPENCLIPART, cdda.PACKAGE),
    ]
    about = describe(items, splits, dropped, packages) | {"image_side_px": side, "webp_quality": QUALITY}
    write_corpus(out, splits, name="large", seed=SEED, max_shard_bytes=MAX_SHARD_BYTES, about=about)
    text = readme("The large corpus", "corpus-recipes/large.py", about)
    (out / "README.md").write_text(text, encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s: written to {out}", file=sys.stderr)


def source_drawings(source: str, cache: Path, dropped: Counter[str]) -> Iterator[Drawing]:
    """The drawings of one of SOURCES."""
    if source == "emoji":
        yield from emoji_drawings(VENDORS, partial(unpacked, cache=cache), dropped)
    elif source == "openclipart":
        yield from openclipart_drawings(unpacked(OPENCLIPART, cache), dropped)
    elif source == "cdda":
        yield from cdda.cdda_drawings(unpacked(cdda.PACKAGE, cache), dropped)
    else:
        for package, drawings in ICON_SETS:
            yield from drawings(unpacked(package, cache) / "package")


if __name__ == "__main__":
    raise SystemExit(run(__doc__, build, SIDE_PX))
