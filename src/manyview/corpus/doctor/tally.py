"""Tally: how often each of many names occurs, in bounded memory."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa

__all__ = ["OTHERS", "Shares", "Tally"]

OTHERS = "(all others)"

Shares = tuple[tuple[str, int], ...]


class Tally:
    """Counts names in order of appearance; from `most` different names on, new ones are counted together."""

    def __init__(self, most: int = 10_000) -> None:
        self._most = most
        self.counts = Counter[str]()

    def add(self, name: str, times: int = 1) -> None:
        if times:
            known = name in self.counts or len(self.counts) < self._most
            self.counts[name if known else OTHERS] += times

    def add_column(self, column: pa.ChunkedArray) -> None:
        """Every value of a string column, null as ""."""
        for entry in column.combine_chunks().fill_null("").value_counts().to_pylist():
            self.add(entry["values"], entry["counts"])

    def shares(self, most: int = 12) -> Shares:
        """The most frequent names first, those beyond `most` as one."""
        ordered = sorted(self.counts.items(), key=lambda entry: (entry[0] == OTHERS, -entry[1], entry[0]))
        rest = sum(times for _, times in ordered[most:])
        return (*ordered[:most], *([(OTHERS, rest)] if rest else []))
