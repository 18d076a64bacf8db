"""Encoder: what search asks of a model."""

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from manyview.errors import ManyviewError

__all__ = ["Encoder", "Features", "unit_rows"]

Features = NDArray[np.float32]


class Encoder(Protocol):
    """A dual encoder: pictures and texts become L2-normalised rows of one length (tensors or arrays)."""

    @property
    def embed_dim(self) -> int: ...

    def encode_image(self, images: Sequence[Any], /) -> Any: ...

    def encode_text(self, texts: Sequence[str], /) -> Any: ...


def unit_rows(features: Any) -> Features:
    """[n, d] float32 in main memory, from a tensor on any device or an array.

    Raises ManyviewError for rows that are not finite or not of length 1 (to 1e-3): they cannot be ranked.
    """
    rows = features.numpy(force=True) if hasattr(features, "numpy") else features
    rows = np.ascontiguousarray(rows, dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # also false for nan
        raise ManyviewError(
            "the model gives features that are not finite rows of length 1: its training diverged, or it is "
            "no dual encoder"
        )
    return rows
