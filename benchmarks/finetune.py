"""Gain and forgetting of ways to fine-tune: a model of the starter corpus learns Tux Paint's sentences.

    python corpus-recipes/tuxpaint.py --out corpora/tuxpaint
    python benchmarks/finetune.py --start runs/demo/many-view --corpus corpora/tuxpaint --out runs/finetune

R@10 text to image in percent: of the new corpus's captions among its held-out stamps, and of all texts among the
held-out images of the starter corpus, before and after. Finished runs are kept.
"""

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from manyview import DualEncoder
from manyview.config import load_config
from manyview.corpus import Corpus
from manyview.distributed import ALONE
from manyview.evaluate import figures
from manyview.train import JobProgress, RunFolder, TrainConfig, recipe, train

WAYS: dict[str, tuple[str, ...]] = {
    "everything, rate 2e-3": ("optimizer.learning_rate=2e-3",),
    "everything, rate 5e-4": ("optimizer.learning_rate=5e-4",),
    "everything, rate 2e-4": ("optimizer.learning_rate=2e-4",),
    "images locked, rate 5e-4": ("optimizer.learning_rate=5e-4", "start.lock=[image]"),
    "texts locked, rate 5e-4": ("optimizer.learning_rate=5e-4", "start.lock=[text]"),
    "layer decay 0.7, rate 5e-4": ("optimizer.learning_rate=5e-4", "optimizer.layer_decay=0.7"),
    "LoRA of rank 8, rate 2e-3": ("optimizer.learning_rate=2e-3", "start.lora_rank=8"),
    "average 0.98, rate 5e-4": ("optimizer.learning_rate=5e-4", "ema_decay=0.98"),
    "WiSE-FT 0.5, rate 5e-4": ("optimizer.learning_rate=5e-4", "start.wise_ft=0.5"),
    "WiSE-FT 0.5, rate 2e-3": ("optimizer.learning_rate=2e-3", "start.wise_ft=0.5"),
}
COMMON = ("epochs=null", "batch_size=128", "optimizer.warmup_steps=10", "save_every=1000", "tensorboard=false")
SCRATCH = "from random weights, rate 2e-3"


def main() -> None:
    """Train what is missing, judge everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=Path, required=True, help="a run of the starter corpus")
    parser.add_argument("--corpus", type=Path, required=True, help="the new corpus")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    start = f"start.model={json.dumps(str(given.start))}"
    ways = {name: (start, *told) for name, told in WAYS.items()} | {SCRATCH: ("optimizer.learning_rate=2e-3",)}
    corpora = {"new": Corpus.open(given.corpus), "starter": Corpus.open("starter")}
    table = Table(title=f"{given.steps} steps of 128 records, R@10 in percent")
    for column in ("way", "new corpus, captions", "starter corpus, all texts"):
        table.add_column(column, justify="left" if column == "way" else "right")

    def add(name: str, model: DualEncoder) -> None:
        new = figures(model, {"new": corpora["new"]}, "test", ALONE)
        old = figures(model, {"starter": corpora["starter"]}, "test", ALONE)
        table.add_row(name, f"{new['tuxpaint/caption/r10']:.1f}", f"{old['score']:.1f}")

    add("before", DualEncoder.from_pretrained(given.start))
    with JobProgress(dict.fromkeys(ways, 1.0)) as progress:
        for name, told in ways.items():
            out = given.out / "".join(c if c.isalnum() else "-" for c in name)
            settings = [*COMMON, *told, f"steps={given.steps}", f"corpus={json.dumps(str(given.corpus))}"]
            config = load_config(TrainConfig, None, settings, recipe("clip"))
            if not RunFolder(out).finished:
                train(config, out, resume=True, sinks=[progress.sink(name)])
            add(name, DualEncoder.from_pretrained(out))
    Console(width=120).print(table)


if __name__ == "__main__":
    main()
