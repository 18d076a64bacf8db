"""The rows of a matrix most like a query, exactly, whatever the size of a block."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from manyview.search.encoder import Features

__all__ = ["RowBlocks", "first_of_groups", "top_rows"]


class RowBlocks(Protocol):
    """A matrix [n, d] that is read in blocks of rows: an array, or rows that are computed when they are read."""

    def __len__(self) -> int: ...

    def __getitem__(self, block: slice, /) -> Features: ...


def top_rows(
    features: RowBlocks, query: Features, top: int, block_rows: int = 8_192
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(rows, scores) of the `top` greatest inner products of `features` [n, d] with `query` [d], best first.

    Equal scores keep the order of the rows. Matrix products find candidates, then each is scored by itself
    in float64: a BLAS sums a row differently at the edge of a block, and equal rows must tie.
    Rows are taken to be of length 1, which bounds the error of the first pass.
    """
    slack = 4 * query.size * np.finfo(np.float32).eps * float(np.linalg.norm(query))
    rows, scores = np.empty(0, np.int64), np.empty(0, np.float64)
    for start in range(0, len(features), block_rows):
        block = features[start : start + block_rows]
        rough = block @ query
        kept = np.arange(len(block))
        if len(block) > top:
            kept = np.flatnonzero(rough >= np.partition(rough, -top)[-top] - slack)
        exact = (block[kept].astype(np.float64) * query).sum(axis=1)
        rows = np.concatenate([rows, start + kept])
        scores = np.concatenate([scores, exact])
        best = np.argsort(-scores, kind="stable")[:top]
        rows, scores = rows[best], scores[best]
    return rows, scores


def first_of_groups(groups: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The positions of the first `count` members of each group, ascending."""
    order = np.argsort(groups, kind="stable")
    sorted_groups = groups[order]
    starts = np.searchsorted(sorted_groups, sorted_groups, side="left")
    return np.sort(order[np.arange(len(groups)) - starts < count])
