"""Summary: of everything that occurs, what occurs more than once, and where."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from manyview.corpus.doctor.occurrences import Groups, Occurrences

__all__ = ["Often", "Summary", "summarize"]

_ROWS_KEPT = 8


@dataclass(frozen=True)
class Often:
    """An identity, how many rows have it, and some of these rows."""

    identity: int
    size: int
    rows: tuple[int, ...]


@dataclass
class Summary:
    """`different` identities; `repeats` rows that have an earlier row's; `across` identities in several splits.

    By split: `distinct` identities, `rows`, and those rows whose identity stands in another split (`shared`).
    `sizes[split][c]` counts the split's rows whose identity stands on c rows of the split. `often` has the most
    frequent identities that repeat, `crossing` the first and last row of some of those in several splits.
    """

    different: int = 0
    repeats: int = 0
    across: int = 0
    distinct: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    shared: Counter[str] = field(default_factory=Counter)
    sizes: dict[str, Counter[int]] = field(default_factory=dict)
    often: list[Often] = field(default_factory=list)
    crossing: list[tuple[int, int]] = field(default_factory=list)

    @property
    def across_rows(self) -> int:
        return self.shared.total()


def summarize(occurrences: Occurrences, bounds: Mapping[str, tuple[int, int]], most: int) -> Summary:
    """`bounds` has the first row of each split and the one after its last, in order; at most `most` of each list."""
    summary = Summary(sizes={split: Counter() for split in bounds})
    stops = np.array([stop for _, stop in bounds.values()], np.int64)
    for groups in occurrences.groups():
        _add(summary, groups, bounds, groups.spread(stops), most)
    return summary


def _add(
    summary: Summary, groups: Groups, bounds: Mapping[str, tuple[int, int]], spread: np.ndarray, most: int
) -> None:
    summary.different += len(groups.identities)
    summary.repeats += int((groups.sizes - 1).sum())
    summary.across += int(spread.sum())
    for split, (first, stop) in bounds.items():
        inside = groups.within(first, stop)
        summary.distinct[split] += int((inside > 0).sum())
        summary.rows[split] += int(inside.sum())
        summary.shared[split] += int(inside[spread].sum())
        for size, times in zip(*np.unique(inside[inside > 0], return_counts=True), strict=True):
            summary.sizes[split][int(size)] += int(size * times)
    summary.often = _most_frequent([*summary.often, *_repeated(groups, most)], most)
    ends = [(int(groups.rows_of(i)[0]), int(groups.rows_of(i)[-1])) for i in np.flatnonzero(spread)[:most].tolist()]
    summary.crossing = sorted([*summary.crossing, *ends])[:most]


def _repeated(groups: Groups, most: int) -> list[Often]:
    """The `most` frequent ones, the earlier row first among equals."""
    repeated = np.flatnonzero(groups.sizes > 1)
    if len(repeated) > most > 0:
        first = groups.rows[groups.starts[repeated]]
        repeated = repeated[np.lexsort((first, -groups.sizes[repeated]))[:most]]
    return [
        Often(int(groups.identities[i]), int(groups.sizes[i]), tuple(groups.rows_of(i)[:_ROWS_KEPT].tolist()))
        for i in repeated.tolist()
    ]


def _most_frequent(often: list[Often], most: int) -> list[Often]:
    return sorted(often, key=lambda one: (-one.size, one.rows[0]))[:most]
