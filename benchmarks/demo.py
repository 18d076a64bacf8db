"""The demo's trainings side by side, each with its share of the cores, against one after the other with all.

    python benchmarks/demo.py [--steps 240] [--repeat 1] [--write]

Wall seconds, for cores that wait are the point; starting included, which takes some 8 s side by side. The ways take
turns; medians. On a machine of one core the demo takes turns, too.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from page import show

from manyview.config import load_config
from manyview.demo import DEMO_RECIPES, DEMO_SETTINGS
from manyview.demo.side_by_side import share_of_cores, train_side_by_side
from manyview.train import TrainConfig, recipe, train

Way = Callable[[Mapping[Path, TrainConfig]], None]


def main() -> None:
    """A row for each way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--write", action="store_true", help="put the table into docs/benchmarks.md")
    given = parser.parse_args()
    told = [f"{key}={value}" for key, value in DEMO_SETTINGS.items()]
    told += [f"steps={given.steps}", "epochs=null", "tensorboard=false"]
    configs = [load_config(TrainConfig, None, told, recipe(name)) for name in DEMO_RECIPES]
    threads = share_of_cores(configs[0], len(configs)) or 1
    ways: dict[str, Way] = {
        "one after the other": in_turn,
        f"side by side, {threads} thread{'s' * (threads > 1)} each": lambda of: train_side_by_side(
            of, dict.fromkeys(of, lambda metrics: None), threads=threads
        ),
    }
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(given.repeat):
        for name, way in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                start = time.perf_counter()
                way({Path(folder) / config.recipe: config for config in configs})
                found[name].append(time.perf_counter() - start)
    rows = []
    for name, seconds in found.items():
        ratios = [first / own for first, own in zip(next(iter(found.values())), seconds, strict=True)]
        spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        rows.append([name, f"{statistics.median(seconds):.1f}", spread])
    title = f"{given.steps} steps of each recipe, medians of {given.repeat}"
    show("demo", title, ["", "seconds", "times as fast"], rows, write=given.write)


def in_turn(configs: Mapping[Path, TrainConfig]) -> None:
    for folder, config in configs.items():
        train(config, folder)


if __name__ == "__main__":
    main()
