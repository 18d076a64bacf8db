"""Contents: which records say the same, text by text and view by view."""

from __future__ import annotations

from collections.abc import Set
from pathlib import Path

import numpy as np

from manyview.corpus.doctor.occurrences import Occurrences
from manyview.corpus.doctor.said import KindNumbers, Said

__all__ = ["Contents"]

_MIXER = np.uint64(0x9E3779B97F4A7C15)


class Contents:
    """Occurrences by kind: `texts` of every text, `views` of what a record says in that kind as a whole.

    As a whole, a list is the set of its entries, whatever their order; of another kind it is the first text.
    """

    def __init__(self, folder: Path, kinds: KindNumbers, lists: Set[str]) -> None:
        self._folder, self._kinds, self._lists = folder, kinds, lists
        self.texts: dict[int, Occurrences] = {}
        self.views: dict[int, Occurrences] = {}

    def add(self, said: Said, start: int) -> None:
        first = np.zeros(len(said.row), bool)
        first[said.first_of_kind()] = True
        for number in np.unique(said.kind).tolist():
            texts = self.texts.setdefault(number, Occurrences(self._folder / f"texts-{number}"))
            views = self.views.setdefault(number, Occurrences(self._folder / f"views-{number}"))
            mine = said.kind == number
            rows, identities = said.row[mine], said.identity[mine]
            texts.add(identities, rows + start)
            if self._kinds.names[number] in self._lists:
                rows, identities = _sets(rows, identities)
            else:
                rows, identities = said.row[mine & first], said.identity[mine & first]
            views.add(identities, rows + start)


def _sets(rows: np.ndarray, identities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each row once, with one identity for the set of its identities: the sum of them after a mixing step."""
    order = np.lexsort((identities, rows))
    rows, mixed = rows[order], identities[order].view(np.uint64)
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]) | (mixed[1:] != mixed[:-1])
    rows, mixed = rows[new], mixed[new]
    mixed = (mixed ^ (mixed >> np.uint64(31))) * _MIXER
    distinct, starts = np.unique(rows, return_index=True)
    return distinct, np.add.reduceat(mixed, starts).view(np.int64)
