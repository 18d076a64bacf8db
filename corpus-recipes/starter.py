"""The starter corpus: emoji and clip art whose licenses allow shipping them with the package.

python corpus-recipes/starter.py --out DIR [--cache DIR] [--side PIXELS]
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence, Set
from functools import partial
from pathlib import Path

from assemble import Item, connect, split
from describe import describe, readme
from packages import unpacked
from render import render_all
from run import run
from sources.emoji import emoji_drawings
from sources.emoji_vendors import CLDR, EMOJIBASE, FREE_VENDORS
from sources.openclipart import OPENCLIPART, openclipart_drawings

from manyview.corpus import write_corpus
from manyview.errors import DataError

SEED = 0
SIDE_PX = 80
QUALITY = 70
MAX_SHARD_BYTES = 3_400_000
MAX_HELD_OUT = 40
LEAST_TEST_COMPONENTS = {"emoji": 210, "openclipart": 420}
SHARES = {
    "emoji": {"train": 0.82, "val": 0.05, "test": 0.13},
    "openclipart": {"train": 0.81, "val": 0.05, "test": 0.14},
}


def build(out: Path, cache: Path, side: int) -> None:
    """Fetch, render, split, write."""
    started = time.monotonic()
    dropped: dict[str, Counter[str]] = {"emoji": Counter(), "openclipart": Counter()}
    drawings = list(emoji_drawings(FREE_VENDORS, partial(unpacked, cache=cache), dropped["emoji"]))
    rendered = render_all(drawings, side, QUALITY, dropped["emoji"])
    drawings = list(openclipart_drawings(unpacked(OPENCLIPART, cache), dropped["openclipart"]))
    rendered += render_all(drawings, side, QUALITY, dropped["openclipart"])
    print(f"{time.monotonic() - started:.0f} s: {len(rendered)} images rendered", file=sys.stderr)
    dropped["all"] = Counter()
    items = connect(rendered, dropped["all"])
    splits = split(items, SHARES, MAX_HELD_OUT, SEED)
    check_test_split(items, {record.id for record in splits["test"]})
    packages = [*(vendor.package for vendor in FREE_VENDORS), *CLDR, EMOJIBASE, OPENCLIPART]
    about = describe(items, splits, dropped, packages) | {"image_side_px": side, "webp_quality": QUALITY}
    write_corpus(out, splits, name="starter", seed=SEED, max_shard_bytes=MAX_SHARD_BYTES, about=about)
    text = readme("The starter corpus", "corpus-recipes/starter.py", about)
    (out / "README.md").write_text(text, encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s: written to {out}", file=sys.stderr)


def check_test_split(items: Sequence[Item], test: Set[str]) -> None:
    """Retrieval needs enough queries that are independent: one per component."""
    for source, least in LEAST_TEST_COMPONENTS.items():
        found = {item.component for item in items if item.record.id in test and item.record.source == source}
        if len(found) < least:
            raise DataError(f"the test split has {len(found)} components of {source}, {least} are needed")


if __name__ == "__main__":
    raise SystemExit(run(__doc__, build, SIDE_PX))
