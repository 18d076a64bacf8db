"""Encoder: what search asks of a model."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from manyview.corpus import Record
from manyview.errors import ManyviewError

__all__ = ["Encoder", "Features", "present_rows", "unit_rows"]

Features = NDArray[np.float32]


class _RecordSettings(Protocol):
    @property
    def weights(self) -> Mapping[str, float]: ...


class _Settings(Protocol):
    @property
    def record(self) -> _RecordSettings: ...


class Encoder(Protocol):
    """A dual encoder: pictures and texts become L2-normalised rows of one length (tensors or arrays).

    `config.record.weights` says what each view counts in a record's vector; a view that it does not name counts 1.
    """

    @property
    def config(self) -> _Settings: ...

    @property
    def embed_dim(self) -> int: ...

    def encode_image(self, images: Sequence[Any], /) -> Any: ...

    def encode_text(self, texts: Sequence[str], /) -> Any: ...

    def encode_views(self, records: Sequence[Record], /) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """(view -> [n, embed_dim], view -> bool [n]): the views of records, and which of the records have them."""
        ...


def unit_rows(features: Any) -> Features:
    """[n, d] float32 in main memory, from a tensor on any device or an array.

    Raises ManyviewError for rows that are not finite or not of length 1 (to 1e-3): they cannot be ranked.
    """
    rows = np.ascontiguousarray(_array(features), dtype=np.float32)
    lengths = np.linalg.norm(rows, axis=-1)
    if not np.all(np.abs(lengths - 1) < 1e-3):  # also false for nan
        raise ManyviewError(
            "the model gives features that are not finite rows of length 1: its training diverged, or it is "
            "no dual encoder"
        )
    return rows


def present_rows(features: Any, present: Any) -> tuple[Features, NDArray[np.int64]]:
    """([k, d] unit rows, [k] their positions) of a view that only some records have."""
    positions = np.flatnonzero(_array(present))
    return unit_rows(_array(features)[positions]), positions


def _array(values: Any) -> NDArray[Any]:
    return np.asarray(values.numpy(force=True) if hasattr(values, "numpy") else values)
