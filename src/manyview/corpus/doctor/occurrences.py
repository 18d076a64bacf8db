"""Occurrences: which rows have which identity, counted exactly in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

__all__ = ["Groups", "Occurrences"]

_PARTITIONS = 256
_PAIR = np.dtype([("identity", np.int64), ("row", np.int64)])


@dataclass(frozen=True)
class Groups:
    """Some identities in ascending order, each with all of its rows.

    The rows of identity i are `rows[starts[i] : starts[i] + sizes[i]]`, ascending, each once.
    """

    identities: np.ndarray
    starts: np.ndarray
    sizes: np.ndarray
    rows: np.ndarray

    def rows_of(self, index: int) -> np.ndarray:
        """The rows of identity number `index`."""
        start = int(self.starts[index])
        return self.rows[start : start + int(self.sizes[index])]

    def spread(self, bounds: np.ndarray) -> np.ndarray:
        """Whether the rows of each identity lie in more than one of the parts that end before `bounds` (ascending)."""
        if not len(self.starts):
            return np.empty(0, bool)
        first, last = self.rows[self.starts], self.rows[self.starts + self.sizes - 1]
        apart: np.ndarray = np.searchsorted(bounds, first, "right") != np.searchsorted(bounds, last, "right")
        return apart

    def within(self, first: int, stop: int) -> np.ndarray:
        """How many rows of each identity lie in [first, stop)."""
        inside = ((self.rows >= first) & (self.rows < stop)).astype(np.int64)
        counts: np.ndarray = np.add.reduceat(inside, self.starts) if len(self.starts) else inside
        return counts


class Occurrences:
    """(identity, row) pairs, added in any order; beyond `limit` they wait in files below `folder`."""

    def __init__(self, folder: Path, limit: int = 1 << 20) -> None:
        self._folder, self._limit = folder, limit
        self._held: list[np.ndarray] = []
        self._count, self._spilled = 0, False

    def add(self, identities: np.ndarray, rows: np.ndarray) -> None:
        pairs = np.empty(len(identities), _PAIR)
        pairs["identity"], pairs["row"] = identities, rows
        self._held.append(pairs)
        self._count += len(pairs)
        if self._count > self._limit:
            self._spill()

    def groups(self) -> Iterator[Groups]:
        """Every identity in exactly one of the results."""
        if not self._spilled:
            yield _grouped(np.concatenate(self._held) if self._held else np.empty(0, _PAIR))
            return
        if self._held:
            self._spill()
        for file in sorted(self._folder.iterdir()):
            yield _grouped(np.fromfile(file, _PAIR))

    def _spill(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        pairs = np.concatenate(self._held)
        partition = (pairs["identity"].view(np.uint64) >> np.uint64(56)).astype(np.uint8)
        order = np.argsort(partition, kind="stable")
        bounds = np.searchsorted(partition[order], np.arange(_PARTITIONS + 1))
        for number in range(_PARTITIONS):
            part = pairs[order[bounds[number] : bounds[number + 1]]]
            if len(part):
                with (self._folder / f"{number:03}").open("ab") as file:
                    part.tofile(file)
        self._held, self._count, self._spilled = [], 0, True


def _grouped(pairs: np.ndarray) -> Groups:
    pairs = pairs[np.lexsort((pairs["row"], pairs["identity"]))]
    identities, rows = pairs["identity"], pairs["row"]
    new = np.ones(len(pairs), bool)
    new[1:] = (identities[1:] != identities[:-1]) | (rows[1:] != rows[:-1])
    identities, rows = identities[new], rows[new]
    first = np.ones(len(identities), bool)
    first[1:] = identities[1:] != identities[:-1]
    starts = np.flatnonzero(first)
    return Groups(identities[starts], starts, np.diff(starts, append=len(identities)), rows)
