"""Two recipes over the same queries: by how much one is better, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

import numpy as np

from manyview.evaluate.bootstrap import (
    LEVEL,
    RESAMPLES,
    Draws,
    PairedDifference,
    difference_of,
    paired_difference,
    recall_draws,
)
from manyview.evaluate.galleries import EVERY_IMAGE
from manyview.evaluate.ranks import recall_at
from manyview.evaluate.retrieval import Cell, Key, RetrievalResults, cell_generator, paired_cells

ALL_SOURCES = "mean of sources"


class ComparisonRow(TypedDict):
    """One row of "comparison" in results.json.

    `baseline`, `candidate` are percent; `difference` and its interval `low`..`high` percentage points;
    `relative` is the gain in percent of the baseline, null where that is zero in the data or a resample.
    """

    source: str
    query_kind: str
    direction: str
    metric: str
    baseline: float
    candidate: float
    difference: float
    low: float
    high: float
    relative: float | None
    relative_low: float | None
    relative_high: float | None


def comparison(
    baseline: Sequence[RetrievalResults],
    candidate: Sequence[RetrievalResults],
    *,
    ks: Sequence[int] = (10,),
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> list[ComparisonRow]:
    """Candidate minus baseline in every cell, a paired bootstrap over its queries.

    Each side is the results of all seeds of one recipe; a query's value is its average over the seeds.
    Raises UsageError unless all were evaluated on the same queries.
    """
    rows = []
    for key, cells in paired_cells([*baseline, *candidate]):
        ranks = [cell.ranks for cell in cells]
        for k in ks:
            paired = paired_difference(
                ranks[: len(baseline)],
                ranks[len(baseline) :],
                k,
                generator=cell_generator(seed, key),
                clusters=cells[0].clusters,
                resamples=resamples,
                level=level,
            )
            rows.append(_row(key, k, paired))
    return rows


def mean_comparison(
    baseline: Sequence[RetrievalResults],
    candidate: Sequence[RetrievalResults],
    *,
    ks: Sequence[int] = (10,),
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> list[ComparisonRow]:
    """The same for the mean over the sources, each counting once, in their one-image-a-concept galleries.

    The mean is over the sources that have queries of a kind; where there is only one, there is no row.
    Sources are resampled apart: they share no concept.
    """
    together: dict[tuple[str, str], list[tuple[Key, list[Cell]]]] = {}
    for key, cells in paired_cells([*baseline, *candidate]):
        source, kind, direction = key
        if not source.endswith(EVERY_IMAGE):
            together.setdefault((kind, direction), []).append((key, cells))
    rows = []
    for (kind, direction), found in together.items():
        if len(found) == 1:
            continue
        for k in ks:
            recalls = np.array([_recalls(cells, k, len(baseline)) for _, cells in found])
            draws = [_draws(key, cells, k, len(baseline), resamples=resamples, seed=seed) for key, cells in found]
            before, after = recalls.mean(axis=0)
            paired = difference_of(float(before), float(after), np.mean(draws, axis=0), level)
            rows.append(_row((ALL_SOURCES, kind, direction), k, paired))
    return rows


def _recalls(cells: Sequence[Cell], k: int, baselines: int) -> tuple[float, float]:
    recalls = [recall_at(cell.ranks, k) for cell in cells]
    return float(np.mean(recalls[:baselines])), float(np.mean(recalls[baselines:]))


def _draws(key: Key, cells: Sequence[Cell], k: int, baselines: int, *, resamples: int, seed: int) -> Draws:
    ranks = [cell.ranks for cell in cells]
    return recall_draws(
        [ranks[:baselines], ranks[baselines:]],
        k,
        generator=cell_generator(seed, key),
        clusters=cells[0].clusters,
        resamples=resamples,
    )


def _row(key: Key, k: int, paired: PairedDifference) -> ComparisonRow:
    source, kind, direction = key
    difference, relative = paired.difference, paired.relative
    return ComparisonRow(
        source=source,
        query_kind=kind,
        direction=direction,
        metric=f"r{k}",
        baseline=100.0 * paired.baseline,
        candidate=100.0 * paired.candidate,
        difference=100.0 * difference.value,
        low=100.0 * difference.low,
        high=100.0 * difference.high,
        relative=100.0 * relative.value if relative else None,
        relative_low=100.0 * relative.low if relative else None,
        relative_high=100.0 * relative.high if relative else None,
    )
