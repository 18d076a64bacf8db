"""Which gallery items are right for which query."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Relation:
    """For each of `len(offsets) - 1` queries the right gallery positions, as compressed rows.

    Row i is `columns[offsets[i]:offsets[i + 1]]`, ascending and without repeats.
    """

    columns: Indices
    offsets: Indices

    @classmethod
    def from_rows(cls, rows: Sequence[Iterable[int]]) -> Relation:
        distinct = [sorted(set(row)) for row in rows]
        offsets = np.zeros(len(rows) + 1, dtype=np.int64)
        offsets[1:] = np.cumsum([len(row) for row in distinct], dtype=np.int64)
        columns = np.fromiter((column for row in distinct for column in row), dtype=np.int64)
        return cls(columns, offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> Indices:
        return np.diff(self.offsets)

    def row(self, index: int) -> Indices:
        return self.columns[self.offsets[index] : self.offsets[index + 1]]

    def select(self, start: int, stop: int) -> Relation:
        """The relation of the queries start..stop alone."""
        offsets = self.offsets[start : stop + 1]
        return Relation(self.columns[offsets[0] : offsets[-1]], offsets - offsets[0])

    def pairs(self) -> tuple[Indices, Indices]:
        """All (query, gallery position) pairs, as two arrays."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts), self.columns

    def transpose(self, gallery: int) -> Relation:
        """The same relation asked from the other side; `gallery` is the number of gallery items."""
        queries, columns = self.pairs()
        order = np.argsort(columns, kind="stable")
        offsets = np.zeros(gallery + 1, dtype=np.int64)
        offsets[1:] = np.cumsum(np.bincount(columns, minlength=gallery))
        return Relation(queries[order], offsets)
