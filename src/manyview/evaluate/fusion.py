"""Fusion: two ranked lists become one, by reciprocal ranks (Cormack, Clarke and Büttcher, SIGIR 2009)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

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
    """Only items that may score enough have their ranks looked up: one of their two terms is half the best or more."""
    ascending, matching = np.sort(scores), np.sort(matches[matches > 0])
    best = float(np.max(_fused_scores(scores[right], matches[right], ascending, matching, k))) * (1 - 1e-12)
    is_rival = matches > 0
    is_rival[right] = False
    reach = int(2.0 / best - k)
    near = scores >= ascending[-min(reach, len(ascending))]
    near |= matches >= matching[-reach:].min(initial=np.inf)
    rivals = np.flatnonzero(is_rival & near)
    wrong = int(np.count_nonzero(_fused_scores(scores[rivals], matches[rivals], ascending, matching, k) >= best))
    last_rank = min(int(1.0 / best - k), len(scores))  # an unmatched item at this rank or before scores enough
    if last_rank < 1:
        return wrong
    enough = (scores >= ascending[-last_rank]) & (matches <= 0)
    enough[right] = False
    return wrong + int(np.count_nonzero(enough))


def _fused_scores(
    scores: Features, matches: Features, ascending: Features, matching: Features, k: int
) -> NDArray[np.float64]:
    """The fused scores of some items, given all scores by `dense` and all above zero by `matched`, sorted."""
    fused: NDArray[np.float64] = 1.0 / (k + _ranks_in(ascending, scores))
    fused[matches > 0] += 1.0 / (k + _ranks_in(matching, matches[matches > 0]))
    return fused


def _ranks_in(ascending: Features, scores: Features) -> Indices:
    """Ranks from 1: one more than the number of scores that are greater."""
    ranks: Indices = 1 + len(ascending) - np.searchsorted(ascending, scores, side="right")
    return ranks
