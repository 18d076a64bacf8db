"""Time that a checkpoint in the background takes from the steps around it.

    python benchmarks/checkpoint.py [--steps 40] [--every 20] [--repeat 3]

The same run of the small recipe with a checkpoint every so many steps and with none, alternately, one thread; the
difference of their times a step, in percent.
"""

import argparse
import statistics
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from manyview.config import load_config
from manyview.train import TrainConfig, recipe, train

_WARM_UP = 5


def main() -> None:
    """Alternately with and without; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--every", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, list[float]] = {"without": [], "with": []}
    for _ in range(given.repeat):
        for name, every in (("without", 10**6), ("with", given.every)):
            found[name].append(seconds_a_step(given.steps, every))
    without, saving = (statistics.median(of) for of in found.values())
    table = Table(title=f"steps of the small recipe, medians of {given.repeat}")
    for column in ("checkpoints", "s a step", "lost"):
        table.add_column(column)
    table.add_row("none", f"{without:.3f}", "")
    table.add_row(f"every {given.every} steps", f"{saving:.3f}", f"{100 * (saving / without - 1):+.1f} %")
    Console(width=100).print(table)


def seconds_a_step(steps: int, every: int) -> float:
    """Wall time of a step after the first few, the checkpoints among them included."""
    settings = [f"steps={steps + _WARM_UP}", "epochs=null", f"save_every={every}", "save_minutes=null", "workers=0"]
    config = load_config(TrainConfig, None, [*settings, "log_every=1000", "tensorboard=false"], recipe("many-view"))
    at = list[float]()
    with tempfile.TemporaryDirectory() as folder:
        train(config, Path(folder) / "run", sinks=[lambda metrics: at.append(time.process_time())])
    return (at[-1] - at[_WARM_UP - 1]) / steps


if __name__ == "__main__":
    main()
