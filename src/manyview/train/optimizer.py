"""Optimizer: AdamW, its parameter groups and its schedule."""

import math
from collections.abc import Iterator

import torch
from torch import nn

from manyview.model import DualEncoder
from manyview.train.config import OptimizerConfig

__all__ = ["build_optimizer", "learning_rate_share", "set_learning_rate"]


def build_optimizer(model: DualEncoder, config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW over groups by tower and decay; each group's `peak` is its highest learning rate."""
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, decays, parameter in _parameters(model):
        multiplier = 1.0
        if name.startswith("text_"):
            multiplier = config.text_multiplier
        elif name == "logit_scale":
            multiplier = config.scale_multiplier
        key = (config.learning_rate * multiplier, config.weight_decay if decays else 0.0)
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr": peak, "peak": peak, "weight_decay": decay}
            for (peak, decay), parameters in groups.items()
        ],
        betas=config.betas,
        fused=True,
    )


def learning_rate_share(step: int, total: int, warmup: int) -> float:
    """Share of the peak at step `step` (from 0): linear over `warmup` steps, then a cosine to zero."""
    if step < warmup:
        return (step + 1) / warmup
    return 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup)))


def set_learning_rate(optimizer: torch.optim.Optimizer, share: float) -> None:
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
        yield name, parameter.squeeze().ndim >= 2 and id(parameter) not in embedded, parameter
