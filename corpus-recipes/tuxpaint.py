"""Tux Paint's 900 stamps with their sentences: a small foreign corpus to fine-tune on. GPL-2, so not shipped.

python corpus-recipes/tuxpaint.py --out DIR [--cache DIR] [--side PIXELS]
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from assemble import connect, split
from describe import describe, readme
from packages import unpacked
from render import render_all
from run import run
from sources import tuxpaint

from manyview.corpus import write_corpus

SEED = 0
SIDE_PX = 96
QUALITY = 80
MAX_HELD_OUT = 10
SHARE = {"train": 0.55, "val": 0.1, "test": 0.35}


def build(out: Path, cache: Path, side: int) -> None:
    """Fetch, render, split, write."""
    dropped: dict[str, Counter[str]] = {"tuxpaint": Counter(), "all": Counter()}
    drawings = list(tuxpaint.drawings(unpacked(tuxpaint.PACKAGE, cache), dropped["tuxpaint"]))
    rendered = render_all(drawings, side, QUALITY, dropped["tuxpaint"])
    items = connect(rendered, dropped["all"])
    splits = split(items, {"tuxpaint": SHARE}, MAX_HELD_OUT, SEED)
    about = describe(items, splits, dropped, [tuxpaint.PACKAGE]) | {"image_side_px": side, "webp_quality": QUALITY}
    write_corpus(out, splits, name="tuxpaint", seed=SEED, about=about)
    text = readme("Tux Paint's stamps", "corpus-recipes/tuxpaint.py", about)
    (out / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(run(__doc__, build, SIDE_PX))
