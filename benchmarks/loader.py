"""Records a CPU second: two augmented views of a JPEG by manyview's loader, and by Pillow and torchvision.

    python benchmarks/loader.py [--images 96] [--repeat 5] [--sides 256 512] [--write]

Both give two uint8 views of 224 pixels by ERNIE-ViL 2.0's recipe: a random square, flip, color jitter, gray, blur.
manyview reads them from a corpus, decodes once, and tokenizes a title besides; torchvision's transforms are given the
bytes, which they decode for each view, as OpenCLIP's loader does for one. One thread, interleaved. The pictures are
drawings of the starter corpus on soft colors with grain, at the size in bytes of photographs.
"""

import argparse
import io
import itertools
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from page import show
from PIL import Image
from torchvision.transforms import v2

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.data import BatchSource, ImageView, TextView, ViewsConfig
from manyview.model import train_wordpiece

_SIZE = 224
_AUGMENTED = v2.Compose(
    [
        v2.Resize(_SIZE),
        v2.RandomCrop(_SIZE),
        v2.RandomHorizontalFlip(),
        v2.RandomApply([v2.ColorJitter(0.4, 0.4, 0.4, 0.1)], p=0.8),
        v2.RandomGrayscale(0.2),
        v2.RandomApply([v2.GaussianBlur(5, (0.1, 2.0))], p=0.5),
        v2.PILToTensor(),
    ]
)


def main() -> None:
    """Every way on the same pictures; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=96)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = list[list[str]]()
    for side in given.sides:
        pictures = photographs(given.images, side)
        with tempfile.TemporaryDirectory() as folder:
            fast, exact = (source(pictures, Path(folder), exact=exact) for exact in (False, True))
            ways: dict[str, Callable[[], object]] = {
                "Pillow + torchvision, decoded twice": lambda of=pictures: twice(of),
                "manyview, exact": lambda of=exact: of[0],
                "manyview": lambda of=fast: of[0],
            }
            found: dict[str, list[float]] = {name: [] for name in ways}
            for _, (name, way) in itertools.product(range(given.repeat), ways.items()):
                start = time.process_time()
                way()
                found[name].append(len(pictures) / (time.process_time() - start))
        first, *_ = found.values()
        size = f"{statistics.mean(map(len, pictures)) / 1000:.0f}"
        for name, rates in found.items():
            ratios = [ours / theirs for ours, theirs in zip(rates, first, strict=True)]
            spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
            rows.append([f"{name}, {side} px, {size} kB", f"{statistics.median(rates):,.0f}", spread])
    title = f"Records a CPU second, two views of {_SIZE} pixels, medians of {given.repeat}"
    show("loader", title, ["", "records/s", "times torchvision"], rows, write=given.write)


def twice(pictures: Sequence[bytes]) -> list[torch.Tensor]:
    """Two views of each picture, as a training data set of OpenCLIP's kind makes them."""
    return [_AUGMENTED(Image.open(io.BytesIO(data)).convert("RGB")) for data in pictures for _ in range(2)]


def source(pictures: Sequence[bytes], folder: Path, *, exact: bool) -> BatchSource:
    """Whose batch 0 is all the pictures."""
    out = folder / f"exact={exact}"
    records = [Record(str(i), str(i), data, (Text("title", f"picture {i}"),)) for i, data in enumerate(pictures)]
    write_corpus(out, {"train": records}, name="pictures")
    augmented = ImageView(augment="official", exact=exact)
    views = ViewsConfig(images={"image": augmented, "image.2": augmented}, texts={"title": TextView(kinds=("title",))})
    tokenize = train_wordpiece(["picture 0123456789"], 100)
    return BatchSource([Corpus.open(out)], "train", views, tokenize, size=_SIZE, batch_size=len(pictures), seed=0)


def photographs(count: int, side: int) -> list[bytes]:
    """JPEGs of 4:3, that short side, quality 90."""
    draw = np.random.default_rng(side)
    drawings = list(itertools.islice(Corpus.open("starter").records("train"), 500))
    return [photograph(draw, drawings, side * 4 // 3, side) for _ in range(count)]


def photograph(draw: np.random.Generator, drawings: Sequence[Record], width: int, height: int) -> bytes:
    """Six drawings on soft colors, with grain."""
    colors = Image.fromarray(draw.integers(0, 256, (4, 5, 3), np.uint8))
    picture = colors.resize((width, height), Image.Resampling.BICUBIC)
    for _ in range(6):
        drawing = Image.open(io.BytesIO(drawings[draw.integers(len(drawings))].image)).convert("RGBA")
        side = int(height * draw.uniform(0.25, 0.85))
        drawing = drawing.resize((side, side), Image.Resampling.BICUBIC)
        picture.paste(drawing, (int(draw.integers(-side // 4, width)), int(draw.integers(-side // 4, height))), drawing)
    grainy = np.asarray(picture, np.float32) + draw.normal(0, 4, (height, width, 3))
    data = io.BytesIO()
    Image.fromarray(grainy.clip(0, 255).astype(np.uint8)).save(data, "JPEG", quality=90)
    return data.getvalue()


if __name__ == "__main__":
    main()
