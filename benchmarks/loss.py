"""Time, memory and error of the objective against OpenCLIP's, each point in a fresh process on one thread.

    python benchmarks/loss.py [--sizes 1024 4096 8192 16384] [--repeat 3]

CPU seconds of forward and backward and peak memory above that of the inputs, for one pair both ways and for all
six pairs of two image and two text views, for which OpenCLIP's loss is called six times; then the distance of the
image gradient from float64 at 2,048 rows. "manyview autocast" is what a run in bfloat16 does: on a processor with AMX
its products are bfloat16's with float32 sums, on AMD's with
AVX-512 BF16 oneDNN takes a float32 kernel of its own, elsewhere it equals "manyview float32".
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from open_clip.loss import ClipLoss
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import normalize

from manyview.objective import both_ways, multi_view_loss

WIDTH, SCALE = 512, 14.3
VIEWS = {1: ("image", "caption"), 6: ("image", "image.2", "caption", "tags")}
OURS, THEIRS = "manyview", "open_clip"
KINDS = (
    "open_clip float32",
    "open_clip autocast",
    "open_clip bfloat16",
    "manyview float32",
    "manyview medium",
    "manyview autocast",
    "manyview bfloat16",
)
_ERROR_ROWS = 2048
Loss = Callable[[dict[str, Tensor], Tensor], Tensor]


def main() -> None:
    """Every point, interleaved over the repeats; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1024, 4096, 8192, 16384])
    parser.add_argument("--pairs", type=int, nargs="+", choices=list(VIEWS), default=list(VIEWS))
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--point", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.point:
        print(json.dumps(measure(**json.loads(given.point))))
        return
    errors = {(pairs, kind): distance(loss_of(kind), pairs) for pairs in given.pairs for kind in given.kinds}
    points = list(itertools.product(given.pairs, given.sizes, given.kinds))
    found: dict[tuple[int, int, str], list[dict[str, float]]] = {point: [] for point in points}
    for _ in range(given.repeat):
        for pairs, n, kind in points:
            point = json.dumps({"pairs": pairs, "n": n, "kind": kind})
            told = subprocess.run(
                [sys.executable, __file__, "--point", point],
                env=os.environ | {"OMP_NUM_THREADS": "1"},
                stdout=subprocess.PIPE,
                check=True,
            )
            found[pairs, n, kind].append(json.loads(told.stdout))
    for pairs in given.pairs:
        table = Table(
            title=f"{pairs} pair{'s' * (pairs > 1)} both ways, width {WIDTH}, one thread, medians of {given.repeat}"
        )
        for column in ("rows", "loss", "CPU s", "times faster", "peak MB", "times less", "gradient error"):
            table.add_column(column, justify="left" if column == "loss" else "right")
        for n in given.sizes:
            medians = {
                kind: {key: statistics.median(of[key] for of in found[pairs, n, kind]) for key in ("seconds", "mb")}
                for kind in given.kinds
            }
            first = medians[given.kinds[0]]
            for kind, of in medians.items():
                ratios = f"{first['seconds'] / of['seconds']:.1f}", f"{first['mb'] / of['mb']:.1f}"
                error = f"{errors[pairs, kind]:.1e}"
                table.add_row(str(n), kind, f"{of['seconds']:.3f}", ratios[0], f"{of['mb']:.0f}", ratios[1], error)
            table.add_section()
        Console(width=120).print(table)


def measure(pairs: int, n: int, kind: str) -> dict[str, float]:
    """One point, in this process."""
    torch.set_num_threads(1)
    loss = loss_of(kind)
    loss(*inputs(pairs, 64)).backward()  # what is loaded once counts for nobody
    features, scale = inputs(pairs, n)
    before = resident_mb("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    start = time.process_time()
    loss(features, scale).backward()
    seconds = time.process_time() - start
    return {"seconds": seconds, "mb": max(1.0, resident_mb("VmHWM") - before)}


def resident_mb(which: str) -> float:
    """Resident memory of this process: VmRSS now, VmHWM at its peak."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(which)) / 1024


def loss_of(kind: str) -> Loss:
    """The loss of a kind: all pairs of the views, weight 1, the mean of both directions."""
    who, precision = kind.split()

    def theirs(features: dict[str, Tensor], scale: Tensor) -> Tensor:
        narrow = precision == "bfloat16"
        used = {view: of.bfloat16() if narrow else of for view, of in features.items()}
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "autocast"):
            losses = [
                ClipLoss()(used[a], used[b], scale.bfloat16() if narrow else scale)
                for a, b in itertools.combinations(used, 2)
            ]
        return torch.stack(losses).sum()

    def ours(features: dict[str, Tensor], scale: Tensor) -> Tensor:
        torch.set_float32_matmul_precision("medium" if precision == "medium" else "highest")
        pairs = [pair for a, b in itertools.combinations(features, 2) for pair in both_ways(a, b, 0.5)]
        used = {view: of.bfloat16() for view, of in features.items()} if precision == "bfloat16" else features
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "autocast"):
            return multi_view_loss(used, pairs, scale).loss

    return ours if who == OURS else theirs


def inputs(pairs: int, n: int) -> tuple[dict[str, Tensor], Tensor]:
    """Views of n samples that agree about as much as those of a model in training do."""
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(n, WIDTH, generator=generator)
    features = {}
    for view in VIEWS[pairs]:
        noisy = torch.randn(n, WIDTH, generator=generator).mul_(1.2).add_(shared)
        features[view] = normalize(noisy, dim=-1).requires_grad_()
    return features, torch.tensor(SCALE, requires_grad=True)


def distance(loss: Loss, pairs: int) -> float:
    """Relative error of the image gradient against float64, by OpenCLIP's definition."""
    features, scale = inputs(pairs, _ERROR_ROWS)
    loss(features, scale).backward()
    exact = {view: of.detach().double().requires_grad_() for view, of in features.items()}
    loss_of(f"{THEIRS} float64")(exact, scale.detach().double()).backward()
    found, expected = features["image"].grad, exact["image"].grad
    assert found is not None
    assert expected is not None
    return float((found.double() - expected).norm() / expected.norm())


if __name__ == "__main__":
    main()
