"""Coverage: which kinds of text the records have, alone and together."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from manyview.corpus.doctor.quantiles import add_values
from manyview.corpus.doctor.said import KindNumbers, Said

__all__ = ["Combination", "Coverage"]

_MOST_COMBINATIONS = 100_000


@dataclass(frozen=True)
class Combination:
    """Exactly these kinds, at so many records."""

    kinds: tuple[str, ...]
    records: int


class Coverage:
    """Records and texts by kind, and records by the set of kinds they have."""

    def __init__(self, kinds: KindNumbers) -> None:
        self._kinds = kinds
        self.records = np.zeros(64, np.int64)
        self.texts = np.zeros(64, np.int64)
        self.empty = np.zeros(64, np.int64)
        self.texts_a_record = Counter[int]()
        self._sets = Counter[int]()

    def add(self, said: Said) -> None:
        first = said.first_of_kind()
        self.records += np.bincount(said.kind[first], minlength=64)
        self.texts += np.bincount(said.kind, minlength=64)
        self.empty[: len(said.empty)] += said.empty
        add_values(self.texts_a_record, np.bincount(said.row, minlength=said.rows))
        masks = np.zeros(said.rows, np.uint64)
        np.bitwise_or.at(masks, said.row[first], np.uint64(1) << said.kind[first].astype(np.uint64))
        for mask, times in zip(*np.unique(masks, return_counts=True), strict=True):
            known = int(mask) in self._sets or len(self._sets) < _MOST_COMBINATIONS
            self._sets[int(mask) if known else -1] += int(times)

    def combinations(self, most: int = 16) -> tuple[Combination, ...]:
        """The most frequent ones first."""
        ordered = sorted(self._sets.items(), key=lambda entry: (-entry[1], entry[0]))
        return tuple(
            Combination(tuple(name for bit, name in enumerate(self._kinds.names) if mask >> bit & 1), records)
            for mask, records in ordered[:most]
            if mask >= 0
        )
