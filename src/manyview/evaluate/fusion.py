"""Fusion: two ranked lists become one, by reciprocal ranks (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from manyview.evaluate.ranks import Features, ScoreChunk, require_answers
from manyview.evaluate.relation import Indices, Relation

K = 60


def fused_ranks(dense: Iterable[ScoreChunk], matched: Iterable[ScoreChunk], truths: Relation, *, k: int = K) -> Indices:
    """The 0-based rank of each query's best placed right item when two searches are joined.

    An item's fused score is 1 / (k + its rank by `dense`) and, where its score by `matched` is above zero,
    1 / (k + its rank by `matched`) besides; ranks count from 1, equal scores have equal ranks. As in `best_ranks`,
    wrong items with the same fused score come first. Both have the same chunks. Raises DataError when a query has no
    right item.
    """
    require_answers(truths)
    ranks = np.empty(len(truths), dtype=np.int64)
    for (start, stop, scores), (_, _, matches) in zip(dense, matched, strict=True):
        for query in range(start, stop):
            ranks[query] = _fused_rank(scores[query - start], matches[query - start], truths.row(query), k)
    return ranks


def _fused_rank(scores: Features, matches: Features, right: Indices, k: int) -> int:
    """Only matched and right items need their rank by `dense`; of the others those are counted that score enough."""
    ascending = np.sort(scores)
    matched = np.flatnonzero(matches > 0)
    of_match = 1.0 / (k + _ranks_in(np.sort(matches[matched]), matches[matched]))
    fused = 1.0 / (k + _ranks_in(ascending, scores[matched])) + of_match
    best = float(np.max(1.0 / (k + _ranks_in(ascending, scores[right]))))
    is_right = np.isin(matched, right)
    best = float(np.max(fused[is_right], initial=best)) * (1 - 1e-12)
    wrong = int(np.count_nonzero(fused[~is_right] >= best))
    last_rank = min(int(1.0 / best - k), len(scores))  # an unmatched item at this rank or before scores enough
    if last_rank < 1:
        return wrong
    enough = scores >= ascending[len(scores) - last_rank]
    enough[matched] = False
    enough[right] = False
    return wrong + int(np.count_nonzero(enough))


def _ranks_in(ascending: Features, scores: Features) -> Indices:
    """Ranks from 1: one more than the number of scores that are greater."""
    ranks: Indices = 1 + len(ascending) - np.searchsorted(ascending, scores, side="right")
    return ranks
