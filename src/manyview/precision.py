"""Precision: the number types of a forward and backward pass, and of matrix products."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal, cast, get_args

import torch
from torch import Tensor

from manyview.errors import UsageError

__all__ = [
    "PRECISIONS",
    "PRECISION_VARIABLE",
    "Precision",
    "autocast",
    "encoding_precision",
    "has_fast_bfloat16",
    "has_matrix_units",
    "product_dtype",
    "products_in",
    "resolve_precision",
]

Precision = Literal["auto", "float32", "bfloat16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
PRECISION_VARIABLE = "MANYVIEW_PRECISION"


def has_matrix_units(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices in hardware, several times faster than float32 ones."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 matrices faster than float32 ones: with matrix units, or as AMD's do.

    Of processors with AVX-512 BF16 and without AMX, AMD's (Zen 4 and later) take a third of the time of float32 for
    bfloat16, Intel's almost twice as long.
    """
    if has_matrix_units(device):
        return True
    able = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    return bool(able.get("avx512_bf16")) and str(able.get("cpu_name", "")).startswith("AMD")


def resolve_precision(precision: str, device: torch.device) -> Literal["float32", "bfloat16"]:
    """What "auto" means on `device`: bfloat16 where there are matrix units, else float32; other values stay.

    The environment variable MANYVIEW_PRECISION, where it is set, decides instead of the device. Raises UsageError for
    a value of it that is no precision.
    """
    if precision == "auto":
        precision = os.environ.get(PRECISION_VARIABLE) or "auto"
        if precision not in PRECISIONS:
            raise UsageError(f"{PRECISION_VARIABLE}={precision}, allowed: {', '.join(PRECISIONS)}")
    if precision == "auto":
        precision = "bfloat16" if has_matrix_units(device) else "float32"
    return cast(Literal["float32", "bfloat16"], precision)


def encoding_precision(precision: str, device: torch.device) -> Literal["float32", "bfloat16"]:
    """As `resolve_precision`, where nothing learns: "auto" is bfloat16 wherever that is faster."""
    if precision == "auto" and not os.environ.get(PRECISION_VARIABLE) and has_fast_bfloat16(device):
        return "bfloat16"
    return resolve_precision(precision, device)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """torch's bfloat16 autocast, where `resolve_precision` gives bfloat16."""
    if resolve_precision(precision, device) == "bfloat16":
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()


def product_dtype(x: Tensor) -> torch.dtype:
    """The type in which a matrix product takes `x` here: the one of autocast inside it, except for float64."""
    if torch.is_autocast_enabled(x.device.type) and x.dtype != torch.float64:
        return torch.get_autocast_dtype(x.device.type)
    return x.dtype


@contextmanager
def products_in(dtype: torch.dtype, device: torch.device) -> Iterator[None]:
    """Float32 matrix products inside this block, with reduced operands where `dtype` is bfloat16.

    Operands are rounded to bfloat16 on a CPU (with AMX; AMD's keep theirs and are faster all the same) and to TF32 on a
    GPU; sums and results are float32. Where bfloat16 is not fast nothing changes. torch has one setting for the whole
    process; the block gives it back as it was, on errors too.
    """
    if dtype != torch.bfloat16 or not has_fast_bfloat16(device):
        yield
        return
    if device.type == "cuda":
        matmul, reduced = torch.backends.cuda.matmul, "tf32"
    else:
        matmul, reduced = torch.backends.mkldnn.matmul, "bf16"  # type: ignore[attr-defined]
    before = matmul.fp32_precision
    matmul.fp32_precision = reduced
    try:
        yield
    finally:
        matmul.fp32_precision = before
