"""Quantiles: where the values of a measure lie, kept as exact counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np

__all__ = ["Quantiles", "add_values", "quantiles", "share_above"]


@dataclass(frozen=True)
class Quantiles:
    """The least value, those below which 5, 25, 50, 75, 95 and 99 % lie, and the greatest."""

    least: float
    p5: float
    p25: float
    median: float
    p75: float
    p95: float
    p99: float
    most: float


def add_values(counts: Counter[int], values: np.ndarray) -> None:
    """Count the values of an integer array."""
    distinct, times = np.unique(values, return_counts=True)
    counts.update(dict(zip(distinct.tolist(), times.tolist(), strict=True)))


def quantiles(counts: Mapping[int, int] | Mapping[float, int]) -> Quantiles | None:
    """By nearest rank: the smallest value that at least so many values do not exceed; None of nothing."""
    if not counts:
        return None
    values = sorted(counts)
    reached = np.cumsum([counts[value] for value in values])  # type: ignore[index]
    total = int(reached[-1])

    def at(percent: int) -> float:
        return values[int(np.searchsorted(reached, ceil(percent * total / 100)))]

    return Quantiles(values[0], at(5), at(25), at(50), at(75), at(95), at(99), values[-1])


def share_above(counts: Mapping[int, int], limit: int) -> float:
    """Share of the values that exceed `limit`."""
    total = sum(counts.values())
    return sum(times for value, times in counts.items() if value > limit) / total if total else 0.0
