"""Spread: a model over the processes of a world, from outside: activation checkpointing, compilation, sharding."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from manyview.distributed import World
from manyview.model import DualEncoder
from manyview.train.layers import repeated_layers

__all__ = ["Parallel", "Spread", "spread"]

Parallel = Literal["ddp", "fsdp"]


@dataclass(frozen=True)
class Spread:
    """How a spread model is called, and how its gradients come together: as the mean over the world's processes."""

    model: DualEncoder
    called: nn.Module
    world: World
    alone: Sequence[nn.Parameter] = ()

    def __call__(self, *views: Mapping[str, Any]) -> tuple[dict[str, Tensor], Tensor]:
        """DualEncoder's forward."""
        encoded: tuple[dict[str, Tensor], Tensor] = self.called(*views)
        return encoded

    def unsynchronized(self) -> AbstractContextManager[None]:
        """Gradients made in it stay at home until the next ones outside of it."""
        return self.called.no_sync() if isinstance(self.called, DistributedDataParallel) else nullcontext()

    def clip(self, max_norm: float) -> Tensor:
        """Bring home what no engine brings, then scale all gradients to a norm of at most `max_norm`.

        Returns the norm before, the same on every process.
        """
        for parameter in self.alone:
            if parameter.grad is not None:
                self.world.sum(parameter.grad).div_(self.world.size)
        parameters = [p for p in self.model.parameters() if p.grad is not None]
        kinds = ([p for p in parameters if isinstance(p, DTensor) == sharded] for sharded in (False, True))
        norms = [
            _whole(nn.utils.get_total_norm([p.grad for p in kind if p.grad is not None])) for kind in kinds if kind
        ]
        norm: Tensor = torch.stack(norms).norm()
        factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
        for parameter in parameters:
            assert parameter.grad is not None
            parameter.grad.mul_(factor)
        return norm


def spread(
    model: DualEncoder,
    world: World,
    parallel: Parallel = "ddp",
    *,
    recompute: bool = False,
    compiled: bool = False,
) -> Spread:
    """Activation checkpointing, then compilation, then sharding, each by the layers that repeat.

    Names of parameters stay. "ddp" keeps the whole model everywhere (DistributedDataParallel); "fsdp" keeps a
    part of every layer on each process (FSDP2's fully_shard) and gathers it while in use. What FSDP2 cannot cut,
    single numbers and kernels that lie channels last, is whole everywhere. A world of one process shards nothing.
    """
    layers = list(repeated_layers(model))
    for layer in layers if recompute else ():
        layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
    for layer in layers if compiled else ():
        layer.compile()
    if world.size == 1:
        return Spread(model, model, world)
    if parallel == "ddp":
        # some towers have parameters that nobody asks, as a pooler; and looking for them keeps the buckets, and so
        # the order of sums, the same before and after a resume
        replicated = DistributedDataParallel(model, find_unused_parameters=True, forward_sync_buffers=False)
        return Spread(model, replicated, world)
    alone = [of for of in model.parameters() if of.ndim == 0 or not of.is_contiguous()]
    for part in (*layers, model.image_tower, model.text_tower, model):
        fully_shard(part, ignored_params=set(alone))
    for encode in ("image_features", "text_features"):
        register_fsdp_forward_method(model, encode)
    return Spread(model, model, world, tuple(alone))


def _whole(norm: Tensor) -> Tensor:
    whole: Tensor = norm.full_tensor() if isinstance(norm, DTensor) else norm
    return whole
