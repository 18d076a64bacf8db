"""Optimizer: AdamW, and Muon beside it, their parameter groups and their schedule."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from manyview.model import DualEncoder
from manyview.train.config import OptimizerConfig
from manyview.train.layers import layers_above
from manyview.train.muon import Muon

__all__ = ["Optimizers", "build_optimizers", "learning_rate_share", "set_learning_rate"]


class Optimizers:
    """Optimizers of different parameters, used as one."""

    def __init__(self, *members: torch.optim.Optimizer) -> None:
        self.members = members

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """All groups of all members."""
        return [group for member in self.members for group in member.param_groups]

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for member in self.members:
            member.zero_grad(set_to_none=True)

    def step(self) -> None:
        """Move every parameter."""
        for member in self.members:
            member.step()

    def state_of(self, parameter: nn.Parameter) -> dict[str, Tensor]:
        """What is remembered of a parameter, to be read or filled in; empty before its first step."""
        member = next(m for m in self.members if any(parameter is p for g in m.param_groups for p in g["params"]))
        state: dict[str, Tensor] = member.state[parameter]
        return state


def build_optimizers(model: DualEncoder, config: OptimizerConfig) -> Optimizers:
    """AdamW over groups by tower and decay; each group's `peak` is its highest learning rate.

    With "muon" the matrices move by their orthogonalized momentum instead, scaled to the size of AdamW's
    updates, so that one learning rate serves both.
    """
    groups: dict[tuple[bool, float, float, bool], list[nn.Parameter]] = {}
    above = layers_above(model)
    for name, decays, parameter in _parameters(model):
        multiplier = config.layer_decay ** above[name]
        if name.startswith("text_"):
            multiplier *= config.text_multiplier
        elif name == "logit_scale":
            multiplier *= config.scale_multiplier
        orthogonal = config.name == "muon" and decays and parameter.ndim == 2
        rate, decay = config.learning_rate * multiplier, config.weight_decay if decays else 0.0
        key = (orthogonal, rate, decay, isinstance(parameter, DTensor))  # fused steps take sharded ones apart
        groups.setdefault(key, []).append(parameter)
    described = {
        kind: [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (orthogonal, peak, decay, _), parameters in groups.items()
            if orthogonal == kind
        ]
        for kind in (False, True)
    }
    members: list[torch.optim.Optimizer] = [torch.optim.AdamW(described[False], betas=config.betas, fused=True)]
    if described[True]:
        members.append(Muon(described[True]))
    return Optimizers(*members)


def learning_rate_share(step: int, total: int, warmup: int) -> float:
    """Share of the peak at step `step` (from 0): linear over `warmup` steps, then a cosine to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def set_learning_rate(optimizer: Optimizers, share: float) -> None:
    """Set every group to this share of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * share


def _parameters(model: nn.Module) -> Iterator[tuple[str, bool, nn.Parameter]]:
    """Each parameter with whether it decays: matrices and kernels do, embeddings and vectors do not."""
    embedded = {
        id(weight)
        for module in model.modules()
        if isinstance(module, nn.Embedding | nn.EmbeddingBag)
        for weight in module.parameters()
    }
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        yield name, parameter.squeeze().ndim >= 2 and id(parameter) not in embedded, parameter
