"""Texts and images a CPU second: manyview's encoders and OpenCLIP's, towers of the size of ViT-B-32, one thread.

    python benchmarks/inference.py [--texts 512] [--images 64] [--repeat 5] [--write]

Captions of about 13 tokens, OpenCLIP's padded to its 77; images of 224 pixels, decoded before. Interleaved, each in
float32 and under bfloat16 autocast.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
from page import show
from torch import Tensor
from vit_b_32 import drawn_texts, ours, packed, padded_to_context, theirs

from manyview.model.packed import token_rows

_BATCH = 32


def main() -> None:
    """Every way in turn; medians, and ratios to OpenCLIP in float32."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    mine, their = ours().eval(), theirs().eval()
    texts = drawn_texts("caption", given.texts)
    tokens, rows = packed(texts), padded_to_context(texts)
    images = torch.randint(0, 256, (given.images, 3, 224, 224)).to(torch.uint8)
    floats = images.float() / 255
    works: dict[str, tuple[int, int, dict[str, Callable[[int, int], Tensor]]]] = {
        "texts": (
            given.texts,
            256,
            {
                "open_clip": lambda start, stop: their.encode_text(rows[start:stop], normalize=True),
                "manyview": lambda start, stop: mine.text_features(token_rows(tokens, start, stop)),
            },
        ),
        "images": (
            given.images,
            _BATCH,
            {
                "open_clip": lambda start, stop: their.encode_image(floats[start:stop], normalize=True),
                "manyview": lambda start, stop: mine.image_features(images[start:stop]),
            },
        ),
    }
    rows_told = list[list[str]]()
    for what, (count, batch, encoders) in works.items():
        ways = list(itertools.product(encoders, ("float32", "bfloat16")))
        found: dict[tuple[str, str], list[float]] = {way: [] for way in ways}
        for turn, (name, precision) in itertools.product(range(given.repeat + 1), ways):
            rate = measured(encoders[name], count, batch, bfloat16=precision == "bfloat16")
            if turn:
                found[name, precision].append(rate)
        for (name, precision), rates in found.items():
            ratios = [rate / first for rate, first in zip(rates, found["open_clip", "float32"], strict=True)]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            rows_told.append([f"{what}, {name}, {precision}", f"{statistics.median(rates):,.1f}", spread])
    title = f"Texts and images a CPU second, medians of {given.repeat}"
    show("inference", title, ["", "items/s", "times open_clip float32"], rows_told, write=given.write)


@torch.inference_mode()
def measured(encode: Callable[[int, int], Tensor], count: int, batch: int, *, bfloat16: bool) -> float:
    """Items a CPU second."""
    start = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16):
        for at in range(0, count, batch):
            encode(at, min(at + batch, count))
    return count / (time.process_time() - start)


if __name__ == "__main__":
    main()
