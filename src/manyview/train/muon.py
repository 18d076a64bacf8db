"""Muon: matrices move by their momentum with all singular values made alike."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor, Replicate

__all__ = ["Muon", "orthogonalized"]

_A, _B, _C = 3.4445, -4.7750, 2.0315  # the quintic of Jordan et al. 2024
_STEPS = 5
_ADAMW_SIZE = 0.2  # root mean square of AdamW's updates: Liu et al. 2025, arXiv 2502.16982


class Muon(torch.optim.Optimizer):
    """torch.optim.Muon with "match_rms_adamw", in float32, for matrices only.

    torch's own multiplies in bfloat16, which CPUs without matrix units do slowly.
    """

    def __init__(
        self, params: Iterable[dict[str, Any]], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step with Nesterov momentum and decoupled weight decay."""
        for group in self.param_groups:
            rate, kept = group["lr"], group["momentum"]
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                momentum = state["momentum"].lerp_(parameter.grad, 1 - kept)
                update = _everywhere(orthogonalized, parameter.grad.lerp(momentum, kept))
                parameter.mul_(1 - rate * group["weight_decay"])
                parameter.add_(update, alpha=-rate * _ADAMW_SIZE * max(parameter.shape) ** 0.5)


def _everywhere(change: Callable[[Tensor], Tensor], matrix: Tensor) -> Tensor:
    """`change` of a matrix that may lie in shards: each process makes the whole and keeps its part."""
    if not isinstance(matrix, DTensor):
        return change(matrix)
    whole = DTensor.from_local(
        change(matrix.full_tensor()), matrix.device_mesh, [Replicate()] * matrix.device_mesh.ndim
    )
    return whole.redistribute(placements=matrix.placements)


def orthogonalized(matrix: Tensor) -> Tensor:
    """[m, n] with the singular vectors of `matrix` and singular values near 1, by Newton-Schulz iterations.

    X <- p(G) X with G = X Xᵀ and p(G) = a + b G + c G². As all p(G) commute, their product is formed over
    the smaller side alone: two products with the matrix in all, instead of two an iteration.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / wide.norm().clamp(min=1e-7)
    one = torch.eye(len(wide), dtype=wide.dtype, device=wide.device)
    gram, product = wide @ wide.T, one
    for _ in range(_STEPS):
        factor = torch.addmm(_A * one + _B * gram, gram, gram, alpha=_C)
        gram, product = factor @ gram @ factor, factor @ product
    result: Tensor = product @ wide
    return result if matrix.shape[0] <= matrix.shape[1] else result.T
