"""Frames: questions that a plan asks of Daft's frames more than once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

__all__ = ["first_rows", "looks_hashes", "tied_groups"]


def first_rows(daft: Any, frame: Any, keys: list[str], *others: Any) -> Any:
    """Of the rows with the same keys, the one that stands first in the sources, and other aggregates of them all."""
    firsts = frame.groupby(*keys).agg(daft.col("place").min().alias("first"), *others)
    return frame.join(firsts, on=keys).where(daft.col("place") == daft.col("first")).exclude("first")


def looks_hashes(looks: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """The hashes, and which rows have one."""
    return looks.fill_null(0).to_numpy(), looks.is_valid().to_numpy()


def tied_groups(frame: Any) -> Iterator[tuple[str, str]]:
    for row in frame.iter_rows():
        yield row["group"], row["other"]
