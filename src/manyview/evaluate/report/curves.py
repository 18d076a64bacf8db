"""Loss curves: the terms in metrics.jsonl as smooth lines, a pair and its reverse as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manyview.evaluate.report.charts import Series

POINTS = 240
WINDOW_SHARE = 0.03


def loss_series(rows: Sequence[Mapping[str, Any]], tones: Mapping[str, int]) -> list[Series]:
    """One line for each pair of views, over the optimizer steps.

    Each is a moving average over 3 % of the rows, thinned to a few hundred points. `tones` gives the
    color of a pair's name, so that recipes share them.
    """
    series = []
    for name, terms in pair_names(rows).items():
        present = [row for row in rows if all(term in row.get("terms", {}) for term in terms)]
        if present:
            steps = np.array([row["step"] for row in present], dtype=np.float64)
            losses = np.array([[row["terms"][term] for term in terms] for row in present]).mean(axis=1)
            smooth = moving_average(losses, max(1, round(WINDOW_SHARE * len(losses))))
            kept = np.unique(np.linspace(0, len(steps) - 1, min(POINTS, len(steps))).round().astype(int))
            points = zip(steps[kept].tolist(), smooth[kept].tolist(), strict=True)
            series.append(Series(name, tuple(points), tones[name]))
    return series


def pair_names(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Terms by the name of their pair: "a ↔ b" for a term and its reverse, "a → b" for one alone."""
    terms = list(dict.fromkeys(term for row in rows for term in row.get("terms", {})))
    named: dict[str, list[str]] = {}
    for term in terms:
        query, _, key = term.partition("->")
        reverse = f"{key}->{query}"
        if reverse not in terms or reverse == term:
            named[f"{query} → {key}"] = [term]
        elif terms.index(term) < terms.index(reverse):
            named[f"{query} ↔ {key}"] = [term, reverse]
    return named


def moving_average(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """The mean of the `window` values around each, fewer at the ends, without those that are not finite."""
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    index = np.arange(len(values))
    start = np.maximum(index - (window - 1) // 2, 0)
    stop = np.minimum(index + window // 2 + 1, len(values))
    averages: NDArray[np.float64] = (sums[stop] - sums[start]) / np.maximum(counts[stop] - counts[start], 1)
    return averages
