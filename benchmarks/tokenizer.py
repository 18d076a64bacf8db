"""Captions a second: the word cache, the tokenizers library with the same vocabulary, and OpenCLIP's tokenizer.

    python benchmarks/tokenizer.py [--texts 20000] [--repeat 5] [--write]

English titles, tags and descriptions of the starter corpus, to tensors, in batches of 1,024, one thread, interleaved.
"""

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence

os.environ["TOKENIZERS_PARALLELISM"] = "false"

import open_clip
import torch
from page import show

from manyview.corpus import Corpus
from manyview.model import train_wordpiece

_BATCH, _TOKENS = 1024, 32


def main() -> None:
    """All three on the same texts; medians of CPU seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    said = [t.text for record in Corpus.open("starter").records("train") for t in record.texts if t.lang == "en"]
    texts = said[: given.texts]
    cached, library = train_wordpiece(said, 30_000), train_wordpiece(said, 30_000)
    library._cache = None
    theirs = open_clip.get_tokenizer("ViT-B-32", context_length=_TOKENS)
    ways: dict[str, Callable[[Sequence[str]], object]] = {
        "open_clip": lambda some: theirs(list(some)),
        "tokenizers library": lambda some: library(some, _TOKENS),
        "word cache": lambda some: cached(some, _TOKENS),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.repeat):
        for name, way in ways.items():
            found[name].append(rate(way, texts))
    rows = list[list[str]]()
    for name, rates in found.items():
        ratios = [of / first for of, first in zip(rates, found["open_clip"], strict=True)]
        spread = f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"
        rows.append([name, f"{statistics.median(rates):,.0f}", spread])
    title = f"{len(texts):,} texts, medians of {given.repeat}"
    show("tokenizer", title, ["", "texts a CPU second", "times open_clip"], rows, write=given.write)


def rate(way: Callable[[Sequence[str]], object], texts: Sequence[str]) -> float:
    """Texts a CPU second."""
    start = time.process_time()
    for at in range(0, len(texts), _BATCH):
        way(texts[at : at + _BATCH])
    return len(texts) / (time.process_time() - start)


if __name__ == "__main__":
    main()
