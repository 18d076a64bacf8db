"""Attention by the path that is fastest where it runs."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["choose_attention", "flash_is_slow", "short_attention"]

_SHORT = 256


def short_attention(q: Tensor, k: Tensor, v: Tensor, scaling: float, dropout: float = 0.0) -> Tensor:
    """[n, heads, length, width]: softmax(scaling q k^T) v."""
    if not flash_is_slow(q.device, q.dtype, q.shape[2]):
        return functional.scaled_dot_product_attention(q, k, v, dropout_p=dropout, scale=scaling)
    weights = torch.softmax((q * scaling) @ k.transpose(-1, -2), -1)
    return functional.dropout(weights, dropout) @ v


def flash_is_slow(device: torch.device, dtype: torch.dtype, length: int) -> bool:
    """Whether plain products beat torch's fused attention.

    Its kernel for CPUs takes 5 times as long as they do in the bfloat16 backward pass of 50 tokens, and somewhat
    longer at 200; at more they need more memory than they save time.
    """
    return device.type == "cpu" and dtype == torch.bfloat16 and torch.is_grad_enabled() and length <= _SHORT


def choose_attention(module: nn.Module, args: Any) -> None:
    """For timm's attention, before its forward: fused or not, by what it is given, [n, length, width]."""
    x: Tensor = args[0]
    kind = x.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype
    module.fused_attn = not flash_is_slow(x.device, dtype, x.shape[1])  # type: ignore[assignment]
