"""Linear layers whose bfloat16 products are as fast as the processor can make them."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from manyview.precision import has_fast_bfloat16, product_dtype

__all__ = ["Linear", "linear"]


class Linear(nn.Linear):
    """nn.Linear; see `linear`."""

    def forward(self, x: Tensor) -> Tensor:
        """[..., out] from [..., in]."""
        return linear(x, self.weight, self.bias)

    @classmethod
    def instead_of(cls, model: nn.Module) -> None:
        """Make one of every linear layer in a model; weights and their names stay."""
        for module in model.modules():
            if type(module) is nn.Linear:
                module.__class__ = cls


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x weight^T + bias, under autocast as torch's own.

    Some processors multiply bfloat16 at little more than half the speed of float32 (`has_fast_bfloat16`). There the
    operands are rounded to bfloat16 all the same, multiplied and added up as float32, which is exact for the products,
    and the result is rounded: what a bfloat16 product is, without its kernel.
    """
    if _is_slow(x):
        rounded: Tensor = _Rounded.apply(x, weight, bias)
        return rounded
    return functional.linear(x, weight, bias)


def _is_slow(x: Tensor) -> bool:
    return x.device.type == "cpu" and not has_fast_bfloat16(x.device) and product_dtype(x) == torch.bfloat16


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        x = x.to(torch.bfloat16)
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        with torch.autocast("cpu", enabled=False):
            return functional.linear(x.float(), _round(weight), None if bias is None else _round(bias)).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        x, weight = ctx.saved_tensors
        needs_x, needs_weight, _ = ctx.needs_input_grad
        with torch.autocast("cpu", enabled=False):
            rows = grad.flatten(0, -2).float()
            to_x = (rows @ _round(weight)).to(grad.dtype).view_as(x) if needs_x else None
            to_weight = _round(rows.T @ x.flatten(0, -2).float()) if needs_weight else None
            to_bias = _round(rows.sum(0)) if ctx.has_bias else None
        return to_x, to_weight, to_bias


def _round(of: Tensor) -> Tensor:
    return of.to(torch.bfloat16).float()
