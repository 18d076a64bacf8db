"""Precision: what numbers a pass is computed with."""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, get_args

import torch

__all__ = ["PRECISIONS", "Precision", "autocast"]

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """bfloat16 autocast where it is asked for or, with "auto", where the device has the units for it."""
    if precision == "auto":
        on_gpu = device.type == "cuda" and torch.cuda.is_bf16_supported()
        has_amx = device.type == "cpu" and torch.cpu._is_amx_tile_supported()
        precision = "bfloat16" if on_gpu or has_amx else "float32"
    return torch.autocast(device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()
