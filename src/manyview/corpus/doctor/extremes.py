"""Extremes: the few rows with the greatest or smallest value of a measure."""

from __future__ import annotations

import numpy as np

__all__ = ["Extremes"]


class Extremes:
    """Keeps the `most` rows of the greatest values, the earlier row of equal ones; a row once, at its greatest."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[int, int] = {}

    def add(self, values: np.ndarray, rows: np.ndarray) -> None:
        order = np.lexsort((rows, -values))
        _, first = np.unique(rows[order], return_index=True)
        order = order[np.sort(first)][: self._most]
        for value, row in zip(values[order].tolist(), rows[order].tolist(), strict=True):
            self._values[row] = max(value, self._values.get(row, value))
        self._values = dict(self.ranked())

    def ranked(self) -> list[tuple[int, int]]:
        """(row, value), the greatest value first."""
        return sorted(self._values.items(), key=lambda entry: (-entry[1], entry[0]))[: self._most]
