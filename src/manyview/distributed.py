"""World: the processes that train one model together, and the few things they tell each other."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.rendezvous import rendezvous

from manyview.errors import ManyviewError, UsageError

__all__ = ["ALONE", "World"]

_TIMEOUT = timedelta(hours=2)  # longer than any loader's patience, which ends with a name
_first_calls = count()
T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """`size` processes of which this is number `rank`; every method but `join` is a collective when size > 1.

    What one process calls, all must call, in the same order.
    """

    rank: int = 0
    size: int = 1
    group: dist.ProcessGroup | None = None

    @classmethod
    def join(cls, device: str = "auto") -> World:
        """The world that torchrun or Slurm describes in the environment; alone without either.

        GPUs speak NCCL, everything else gloo; `device` "cpu" keeps to gloo on a machine with GPUs. The current CUDA
        device becomes the one of this process. Raises UsageError for an environment that is half described, and for
        more processes than GPUs.
        """
        told = _described(os.environ)
        if int(told.get("WORLD_SIZE", "1")) == 1:
            return ALONE
        if missing := [name for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT") if name not in told]:
            raise UsageError(
                f"WORLD_SIZE={told['WORLD_SIZE']}, but {missing[0]} is not set: start with torchrun or srun"
            )
        if not dist.is_initialized():
            os.environ.update(told)
            use_gpu = torch.cuda.is_available() and device != "cpu"
            try:
                if use_gpu:
                    torch.cuda.set_device(_device_index(os.environ, torch.cuda.device_count()))
                store, rank, size = next(rendezvous("env://", timeout=_TIMEOUT))
                if told.get("LOCAL_WORLD_SIZE") == told["WORLD_SIZE"]:
                    # on one machine torchrun keeps its store when it restarts processes, with their old addresses in it
                    store = dist.PrefixStore(f"start {told.get('TORCHELASTIC_RESTART_COUNT')}", store)  # type: ignore[attr-defined]
                backend = "cpu:gloo,cuda:nccl" if use_gpu else "gloo"
                dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=_TIMEOUT)
            except (RuntimeError, ValueError) as error:
                raise ManyviewError(f"cannot join the other processes: {str(error).splitlines()[0]}") from error
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

    def tell(self, message: T) -> Sequence[T]:
        """What every process has to say: any object that can be pickled."""
        if self.size == 1:
            return [message]
        said: list[T] = [message] * self.size
        dist.all_gather_object(said, message, group=self.group)
        return said

    def first(self, make: Callable[[], T]) -> T:
        """What `make` returns on process 0, which alone calls it, given to all; so is a ManyviewError it raises.

        The others wait as long as it takes, however short the time limit of a collective.
        """
        if self.size == 1:
            return make()
        made: list[T | ManyviewError | None] = [None]
        store = dist.distributed_c10d._get_default_store()
        done = f"manyview: process 0 is done {next(_first_calls)}"
        if self.rank == 0:
            try:
                made = [make()]
            except ManyviewError as error:
                made = [error]
            finally:
                store.set(done, "")
        else:
            _wait_for(store, done)
        dist.broadcast_object_list(made, group=self.group, group_src=0)
        if isinstance(made[0], ManyviewError):
            raise made[0]
        return made[0]  # type: ignore[return-value]

    def together(self, make: Callable[[], T]) -> T:
        """What `make` returns; a ManyviewError of any process is raised on all. `make` must call no collective."""
        made, wrong = None, None
        try:
            made = make()
        except ManyviewError as error:
            if self.size == 1:
                raise
            wrong = error
        for rank, other in enumerate(self.tell(wrong)):
            if other is not None:
                raise type(other)(f"process {rank}: {other}")
        return made  # type: ignore[return-value]


ALONE = World()


def _wait_for(store: Any, key: str) -> None:
    """Until another process has set the key. Raises ManyviewError when the process that holds the store is gone."""
    pause_s = 0.01
    try:
        while not store.check([key]):
            time.sleep(pause_s)
            pause_s = min(1.0, 1.5 * pause_s)
    except RuntimeError as error:
        raise ManyviewError(f"process 0 was lost while the others waited for it: {error}") from error


def _described(environment: Mapping[str, str]) -> dict[str, str]:
    """torchrun's variables; for processes that srun started, derived from Slurm's."""
    names = ["RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"]
    names.append("TORCHELASTIC_RESTART_COUNT")
    told = {name: environment[name] for name in names if name in environment}
    if "RANK" in told or int(environment.get("SLURM_STEP_NUM_TASKS", "1")) == 1:
        return told
    job = int(environment.get("SLURM_JOB_ID", "0"))
    nodes = environment.get("SLURM_STEP_NODELIST", environment.get("SLURM_JOB_NODELIST", "127.0.0.1"))
    return {
        "RANK": environment["SLURM_PROCID"],
        "LOCAL_RANK": environment["SLURM_LOCALID"],
        "WORLD_SIZE": environment["SLURM_STEP_NUM_TASKS"],
        "MASTER_ADDR": _first_host(nodes),
        "MASTER_PORT": str(20_000 + job % 20_000),
    } | told


def _device_index(environment: Mapping[str, str], count: int) -> int:
    """The index of this process's GPU among the `count` GPUs that it sees.

    Processes that see all GPUs of their machine take one each, by their local rank. A launcher may show each process
    its own GPUs only, as `srun --gpus-per-task=1` does: then it is the first. Raises UsageError where neither can be.
    """
    local_rank = int(environment["LOCAL_RANK"])
    if local_rank < count:
        return local_rank
    shown_its_own = count == 1 or "SLURM_GPUS_PER_TASK" in environment
    if shown_its_own and "TORCHELASTIC_RUN_ID" not in environment:  # torchrun shows all processes the same GPUs
        return 0
    raise UsageError(
        f"process {local_rank} (counted from 0) of this machine has no GPU: {count} visible, one a process is needed; "
        "start as many processes as there are GPUs, or set device=cpu"
    )


def _first_host(nodes: str) -> str:
    """gpu001 of gpu[001-004,007],login1, as Slurm writes lists."""
    found = re.match(r"([^\[,]+)(?:\[([^\],-]+)[^\]]*\])?([^,\[]*)", nodes)
    if found is None:
        raise UsageError(f"Slurm's list of nodes {nodes!r} cannot be read: set MASTER_ADDR to the first machine")
    name, number, rest = found.groups()
    return f"{name}{number or ''}{rest}"
