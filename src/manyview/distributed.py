"""World: the processes that train one model together, and the few things they tell each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

__all__ = ["ALONE", "World"]


@dataclass(frozen=True)
class World:
    """`size` processes of which this is number `rank`; every method but `join` is a collective when size > 1.

    What one process calls, all must call, in the same order.
    """

    rank: int = 0
    size: int = 1
    group: dist.ProcessGroup | None = None

    @classmethod
    def join(cls) -> World:
        """The world that torchrun describes in the environment; alone without it."""
        if int(os.environ.get("WORLD_SIZE", "1")) == 1:
            return ALONE
        if not dist.is_initialized():
            dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
        return cls(dist.get_rank(), dist.get_world_size())

    def leave(self) -> None:
        """Wait for nobody and take no part any more."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()

    def gather(self, rows: Tensor) -> Tensor:
        """[size, ...]: this tensor of every process, which must have one shape everywhere."""
        if self.size == 1:
            return rows[None]
        gathered = rows.new_empty(self.size * len(rows), *rows.shape[1:])
        dist.all_gather_single(gathered, rows.contiguous(), group=self.group)
        return gathered.view(self.size, *rows.shape)

    def sum(self, numbers: Tensor) -> Tensor:
        """The sum of this tensor over all processes, in place."""
        if self.size > 1:
            dist.all_reduce(numbers, group=self.group)
        return numbers

    def scatter_sum(self, parts: Tensor) -> Tensor:
        """[...] from [size, ...]: the sum over all processes of the part meant for this one."""
        if self.size == 1:
            return parts[0]
        mine = parts.new_empty(parts.shape[1:])
        flat = parts.reshape(self.size * parts.shape[1], *parts.shape[2:])
        dist.reduce_scatter_single(mine, flat.contiguous(), group=self.group)
        return mine

    def tell(self, message: str | None) -> Sequence[str | None]:
        """What every process has to say."""
        if self.size == 1:
            return [message]
        said: list[str | None] = [None] * self.size
        dist.all_gather_object(said, message, group=self.group)
        return said


ALONE = World()
