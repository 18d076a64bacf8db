"""Collectives and bytes of one step's loss, against OpenCLIP's loss called for each pair.

    python benchmarks/collectives.py [--rows 256] [--width 512]

Two image and two text views, all six pairs, float32 features, gloo processes on this machine. A collective counts the
bytes of its result on one process; OpenCLIP gathers with gradients (`gather_with_grad`, `local_loss`).
"""

import argparse
import itertools
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist  # noqa: TID251
from open_clip.loss import ClipLoss
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn.functional import normalize

from manyview.distributed import World
from manyview.objective import both_ways, multi_view_loss

VIEWS = ("image", "image.2", "caption", "tags")
RESULTS = {  # where each collective puts its result: the place among its arguments
    "all_gather": 0,
    "all_gather_single": 0,
    "all_reduce": 0,
    "all_to_all": 0,
    "reduce_scatter": 0,
    "reduce_scatter_single": 0,
}
_NOTE = 4096  # bytes up to which a collective is a note: counts, masks, identities and sums


def main() -> None:
    """Both losses at world sizes 2 and 4."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=256, help="rows of each process")
    parser.add_argument("--width", type=int, default=512)
    given = parser.parse_args()
    table = Table(title=f"one step, 6 pairs of 4 views, {given.rows} rows a process, width {given.width}, float32")
    for column in ("processes", "loss", "collective", "calls", "MB", "times less"):
        table.add_column(column, justify="right" if column != "loss" else "left")
    for size in (2, 4):
        forward = {}
        for name in ("open_clip", "manyview"):
            calls, gathered = in_world(size, name, given.rows, given.width)
            forward[name] = sum(of for key, of in gathered.items() if key.startswith("all_gather"))
            for key in sorted(calls):
                is_gather = name == "manyview" and key == "all_gather_single"
                ratio = f"{forward['open_clip'] / forward[name]:.1f}" if is_gather else ""
                table.add_row(str(size), name, key, str(calls[key]), f"{gathered[key] / 1e6:.3f}", ratio)
        table.add_section()
    Console(width=110).print(table)


def in_world(size: int, name: str, rows: int, width: int) -> tuple[Counter[str], Counter[str]]:
    """Calls and bytes of each collective, on process 0."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_process, (size, folder, name, rows, width), nprocs=size)
        counted: tuple[Counter[str], Counter[str]] = torch.load(Path(folder) / "counted.pt", weights_only=False)
        return counted


def _process(rank: int, size: int, folder: str, name: str, rows: int, width: int) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size)
    generator = torch.Generator().manual_seed(rank)
    features = {
        view: normalize(torch.randn(rows, width, generator=generator), dim=-1).requires_grad_() for view in VIEWS
    }
    scale = torch.tensor(14.3, requires_grad=True)
    with counting() as counted:
        loss = theirs(features, scale, rank, size) if name == "open_clip" else ours(features, scale, rank, size)
        loss.backward()
    if rank == 0:
        torch.save(counted, Path(folder) / "counted.pt")
    dist.destroy_process_group()


def theirs(features: dict[str, Tensor], scale: Tensor, rank: int, size: int) -> Tensor:
    """OpenCLIP's loss for each pair."""
    loss = ClipLoss(local_loss=True, gather_with_grad=True, rank=rank, world_size=size)
    return torch.stack([loss(features[a], features[b], scale) for a, b in itertools.combinations(VIEWS, 2)]).sum()


def ours(features: dict[str, Tensor], scale: Tensor, rank: int, size: int) -> Tensor:
    """All pairs at once."""
    pairs = [pair for a, b in itertools.combinations(VIEWS, 2) for pair in both_ways(a, b, 0.5)]
    return multi_view_loss(features, pairs, scale, world=World(rank, size)).loss


@contextmanager
def counting() -> Iterator[tuple[Counter[str], Counter[str]]]:
    """Count calls and result bytes of torch's collectives, small notes apart."""
    calls, size_of = Counter[str](), Counter[str]()
    originals = {name: getattr(dist, name) for name in RESULTS}

    def counted(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            result = args[RESULTS[name]]
            tensors = result if isinstance(result, list) else [result]
            total = sum(of.numel() * of.element_size() for of in tensors)
            key = f"{name}{' (notes)' if total <= _NOTE else ''}"
            calls[key] += 1
            size_of[key] += total
            return original(*args, **kwargs)

        return call

    for name, original in originals.items():
        setattr(dist, name, counted(name, original))
    try:
        yield calls, size_of
    finally:
        for name, original in originals.items():
            setattr(dist, name, original)


if __name__ == "__main__":
    main()
