"""The vectors of one view, of those records that have it, and the record vectors that weights make of several."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from manyview.search.encoder import Features

__all__ = ["RowNumbers", "ViewRows", "WeightedRecords", "weighted_mean"]

RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class ViewRows:
    """`features` [m, dim] of the records `rows` [m], ascending; both may stay on disk."""

    features: Features
    rows: RowNumbers

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, block: slice) -> Features:
        return self.features[block]

    def positions(self, records: RowNumbers) -> tuple[RowNumbers, RowNumbers]:
        """(positions in `records`, positions in `rows`) of the records that have this view."""
        after = np.searchsorted(self.rows, records)
        inside = np.flatnonzero(after < len(self.rows))
        inside = inside[self.rows[after[inside]] == records[inside]]
        return inside, after[inside]

    def cosines(self, query: Features, records: RowNumbers) -> dict[int, float]:
        """record -> its inner product with the query [dim]; only the rows of these records are read."""
        inside, positions = self.positions(records)
        scores = (self.features[positions].astype(np.float64) * query).sum(axis=1)
        return dict(zip(records[inside].tolist(), scores.tolist(), strict=True))


@dataclass(frozen=True)
class WeightedRecords:
    """Record vectors under other weights than those of the index, computed block by block from the views on disk."""

    views: Mapping[str, ViewRows]
    weights: Mapping[str, float]
    dim: int

    @cached_property
    def rows(self) -> RowNumbers:
        """The records that have a view of weight above 0, ascending."""
        present = [self.views[name].rows for name, weight in self.weights.items() if weight > 0]
        return np.unique(np.concatenate(present)) if present else np.empty(0, np.int64)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, block: slice) -> Features:
        records = self.rows[block]
        parts = {}
        for name, view in self.views.items():
            inside, positions = view.positions(records)
            parts[name] = view.features[positions], inside
        return weighted_mean(parts, self.weights, len(records), self.dim)


def weighted_mean(
    views: Mapping[str, tuple[Features, RowNumbers]], weights: Mapping[str, float], rows: int, dim: int
) -> Features:
    """[rows, dim] float32: the views' vectors [k, dim] at their rows [k], times their weights, summed and normalised.

    Views are added in the order of their names, so that the same views give the same bits. A row without any
    view of weight above 0 is zero.
    """
    sums = np.zeros((rows, dim), np.float32)
    for name in sorted(views):
        if weights[name] > 0:
            features, present = views[name]
            sums[present] += np.float32(weights[name]) * features
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    sums /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return sums
