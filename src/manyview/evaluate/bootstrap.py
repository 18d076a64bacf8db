"""How sure a recall, or a difference of two, is: percentile bootstrap over the queries.

Ranks come as [queries] arrays, one a training seed. A query's value is its share of seeds that
found it among the first k; queries are what is resampled. Queries with the same cluster number
(several pictures of one concept) are resampled together.

A resampled mean depends on the data only through how often each distinct value is drawn, so one
multinomial draw over the distinct values *is* the bootstrap, at a cost that does not grow with the
number of queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manyview.errors import UsageError
from manyview.evaluate.relation import Indices

Draws = NDArray[np.float64]
RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """An estimate and its percentile interval."""

    value: float
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        return self.low > 0.0 or self.high < 0.0


@dataclass(frozen=True)
class PairedDifference:
    """Recall of two recipes over the same queries, as shares.

    `relative` is candidate / baseline - 1, absent when the baseline found nothing, or so little that
    a bound is infinite.
    """

    baseline: float
    candidate: float
    difference: Interval
    relative: Interval | None


def recall_interval(
    ranks: Sequence[Indices],
    k: int,
    *,
    generator: np.random.Generator,
    clusters: Indices | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Interval:
    """Recall at k, averaged over the seeds, with its interval."""
    draws = recall_draws([ranks], k, generator=generator, clusters=clusters, resamples=resamples)[0]
    return percentile_interval(_recall(ranks, k), draws, level)


def paired_difference(
    baseline: Sequence[Indices],
    candidate: Sequence[Indices],
    k: int,
    *,
    generator: np.random.Generator,
    clusters: Indices | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> PairedDifference:
    """Recall at k of the candidate minus the baseline's; both see the same resampled queries."""
    draws = recall_draws([baseline, candidate], k, generator=generator, clusters=clusters, resamples=resamples)
    return difference_of(_recall(baseline, k), _recall(candidate, k), draws, level)


def difference_of(baseline: float, candidate: float, draws: Draws, level: float = LEVEL) -> PairedDifference:
    """Differences of two estimates, given their joint draws [2, resamples]."""
    relative = None
    if baseline > 0.0 and np.all(draws[0] > 0.0):
        relative = percentile_interval(candidate / baseline - 1.0, draws[1] / draws[0] - 1.0, level)
    difference = percentile_interval(candidate - baseline, draws[1] - draws[0], level)
    return PairedDifference(baseline, candidate, difference, relative)


def recall_draws(
    recipes: Sequence[Sequence[Indices]],
    k: int,
    *,
    generator: np.random.Generator,
    clusters: Indices | None = None,
    resamples: int = RESAMPLES,
) -> Draws:
    """Recalls at k of several recipes over jointly resampled queries [recipes, resamples]."""
    seeds = [len(ranks) for ranks in recipes]
    hits = np.stack([_hits(ranks, k) for ranks in recipes], axis=1)
    counted = np.column_stack([np.ones(len(hits), dtype=np.int64), hits])
    if clusters is not None:
        _, members = np.unique(clusters, return_inverse=True)
        summed = np.zeros((members.max() + 1, counted.shape[1]), dtype=np.int64)
        np.add.at(summed, members, counted)
        counted = summed
    values, times = np.unique(counted, axis=0, return_counts=True)
    drawn = generator.multinomial(len(counted), times / len(counted), size=resamples)
    totals = (drawn @ values).astype(np.float64)
    recalls: Draws = totals[:, 1:] / (totals[:, :1] * np.asarray(seeds))
    return recalls.T


def percentile_interval(value: float, draws: Draws, level: float = LEVEL) -> Interval:
    tail = (1.0 - level) / 2.0
    low, high = np.quantile(draws, [tail, 1.0 - tail])
    return Interval(value, float(low), float(high))


def _hits(ranks: Sequence[Indices], k: int) -> Indices:
    """In how many seeds each query was found [queries]."""
    if not ranks or len({len(one) for one in ranks}) != 1 or len(ranks[0]) == 0:
        lengths = [len(one) for one in ranks]
        raise UsageError(f"got ranks of lengths {lengths}; every seed must rank the same queries, at least one")
    hits: Indices = np.sum(np.stack(ranks) < k, axis=0, dtype=np.int64)
    return hits


def _recall(ranks: Sequence[Indices], k: int) -> float:
    return float(np.mean(_hits(ranks, k))) / len(ranks)
