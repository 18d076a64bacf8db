"""Time that a checkpoint in the background takes from the steps around it.

    python benchmarks/checkpoint.py [--every 20] [--repeat 8] [--window 4]

One run of the small recipe on one thread. The steps that begin a save and run while it is written, so many as
`--window`, are held to the median of the others: what they take more, in wall time, as a share of the steps from one
checkpoint to the next. Wall time, because training waits only while tensors are copied; the writing is another
thread's, and takes its time from the steps only where they share a core or the interpreter.
"""

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from manyview.config import load_config
from manyview.train import TrainConfig, recipe, train


def main() -> None:
    """Every checkpoint by itself, then the median."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=8)
    parser.add_argument("--window", type=int, default=4)
    given = parser.parse_args()
    torch.set_num_threads(1)
    took = seconds_of_steps(given.every * (given.repeat + 1), given.every)
    saves = range(given.every, len(took), given.every)
    around = {save + i for save in saves for i in range(given.window)}
    quiet = statistics.median(of for step, of in enumerate(took) if step not in around and step >= given.window)
    lost = [sum(took[save : save + given.window]) - given.window * quiet for save in saves]
    middle = statistics.median(lost)
    table = Table(title=f"{len(lost)} checkpoints, a step of {quiet:.3f} s")
    for column in ("lost to a checkpoint, ms", "median, ms", f"of {given.every} steps", "of 200 steps, the default"):
        table.add_column(column)
    each = " ".join(f"{1000 * one:.0f}" for one in lost)
    shares = [f"{100 * middle / (steps * quiet):.2f} %" for steps in (given.every, 200)]
    table.add_row(each, f"{1000 * middle:.0f}", *shares)
    Console(width=120).print(table)


def seconds_of_steps(steps: int, every: int) -> list[float]:
    """Wall time from each step's figures to the next one's; a save of step k is part of what follows k."""
    settings = [f"steps={steps}", "epochs=null", f"save_every={every}", "save_minutes=null", "workers=1"]
    config = load_config(TrainConfig, None, [*settings, "log_every=1000", "tensorboard=false"], recipe("many-view"))
    at = list[float]()
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder) / "run", sinks=[lambda metrics: at.append(time.perf_counter())])
    return [0.0, *(after - before for before, after in pairwise(at))]


if __name__ == "__main__":
    main()
