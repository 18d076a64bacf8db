"""What rows of texts cost: CPU seconds of a step of pictures alone, and of one with rows of texts beside them.

    python benchmarks/text_rows.py [--pictures 256] [--texts 512] [--steps 10] [--precision float32 bfloat16]

One thread, the recipe many-view, the starter corpus and the glossary. `batch` is the making of the batch by one worker,
`step` forward, loss, backward and optimizer; medians.
"""

import argparse
import statistics
import time

import torch
from page import show

from manyview.config import load_config
from manyview.distributed import ALONE
from manyview.train import TrainConfig, recipe
from manyview.train.optimizer import build_optimizers
from manyview.train.run import batch_source, corpora_of, new_model
from manyview.train.spread import spread
from manyview.train.state import Progress, TrainState
from manyview.train.step import take_step

WARM_UP = 3


def main() -> None:
    """A row for each precision, without and with rows of texts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=256)
    parser.add_argument("--texts", type=int, default=512)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--precision", nargs="+", default=["float32", "bfloat16"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    mixture = f"{{starter: {options.pictures}, glossary: {options.texts}}}"
    rows = []
    for precision in options.precision:
        alone = cpu_seconds("starter", options.pictures, precision, options.steps)
        mixed = cpu_seconds(mixture, options.pictures + options.texts, precision, options.steps)
        for name, texts, (batch, step) in (("pictures", 0, alone), ("and texts", options.texts, mixed)):
            share = (batch + step) / sum(alone)
            rows.append((precision, name, str(texts), f"{batch:.3f}", f"{step:.3f}", f"{share:.2f}"))
    title = f"CPU seconds of a step of {options.pictures} pictures, one thread"
    show("text-rows", title, ("precision", "rows", "texts", "batch", "step", "times the pictures alone"), rows)


def cpu_seconds(corpus: str, batch_size: int, precision: str, steps: int) -> tuple[float, float]:
    """CPU seconds of making a batch, and of the step it is for."""
    settings = [f"corpus={corpus}", f"batch_size={batch_size}", f"precision={precision}", "steps=1000"]
    config = load_config(TrainConfig, None, settings, recipe("many-view"))
    model = new_model(config, None, torch.device("cpu"))
    source = batch_source(config, corpora_of(config), model.tokenize)
    state = TrainState(model, build_optimizers(model, config.optimizer), None, 0, Progress())
    spread_model = spread(model, ALONE)
    batch_seconds, step_seconds = [], []
    for number in range(WARM_UP + steps):
        begun = time.process_time()
        batch = source[number]
        made = time.process_time()
        take_step(config, state, spread_model, batch, 1000)
        batch_seconds.append(made - begun)
        step_seconds.append(time.process_time() - made)
    return statistics.median(batch_seconds[WARM_UP:]), statistics.median(step_seconds[WARM_UP:])


if __name__ == "__main__":
    main()
