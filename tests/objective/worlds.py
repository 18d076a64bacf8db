"""Processes of one world on this machine, for tests."""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from manyview.distributed import World


def in_world(
    size: int, work: Callable[..., Any], *arguments: Any, timeout: timedelta = timedelta(minutes=30)
) -> list[Any]:
    """What `work(world, *arguments)` returns in each of `size` gloo processes, whose collectives have a time limit."""
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_process, (size, folder, timeout, work, arguments), nprocs=size)
        return [torch.load(Path(folder) / f"{rank}.pt", weights_only=False) for rank in range(size)]


def _process(
    rank: int, size: int, folder: str, timeout: timedelta, work: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=size, timeout=timeout)
    world = World(rank, size)
    torch.save(work(world, *arguments), Path(folder) / f"{rank}.pt")
    world.leave()
