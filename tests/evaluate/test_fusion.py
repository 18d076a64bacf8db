"""Reciprocal rank fusion equals its definition, written as loops."""

import numpy as np
import pytest

from manyview.errors import DataError
from manyview.evaluate.fusion import fused_ranks
from manyview.evaluate.relation import Relation


def by_definition(scores: np.ndarray, matches: np.ndarray, right: set[int], k: int) -> int:
    def rank(values: np.ndarray, item: int) -> int:
        return 1 + sum(other > values[item] for other in values.tolist())

    fused = [1 / (k + rank(scores, item)) for item in range(len(scores))]
    for item in np.flatnonzero(matches > 0).tolist():
        fused[item] += 1 / (k + rank(matches, item))
    best = max(fused[item] for item in right)
    return sum(value >= best - 1e-12 for item, value in enumerate(fused) if item not in right)


@pytest.mark.parametrize("k", [1, 60])
@pytest.mark.parametrize("levels", [4, 10_000])
def test_fused_ranks_are_those_of_the_definition(k: int, levels: int) -> None:
    """Few levels make many ties."""
    rng = np.random.default_rng(levels + k)
    scores = (rng.integers(0, levels, (60, 25)) / levels).astype(np.float32)
    matches = (np.maximum(rng.integers(-levels, levels, (60, 25)), 0) / levels).astype(np.float32)
    right = [set(rng.choice(25, rng.integers(1, 4), replace=False).tolist()) for _ in range(60)]
    chunks = [(0, 40, scores[:40]), (40, 60, scores[40:])]
    matched = [(0, 40, matches[:40]), (40, 60, matches[40:])]
    expected = [by_definition(*row, k) for row in zip(scores, matches, right, strict=True)]
    assert fused_ranks(chunks, matched, Relation.from_rows(right), k=k).tolist() == expected


def test_without_a_match_the_order_is_that_of_the_first_search() -> None:
    scores = np.random.default_rng(0).random((20, 50), dtype=np.float32)
    right = [{row} for row in range(20)]
    nothing = [(0, 20, np.zeros_like(scores))]
    expected = [int(np.sum(row > row[i])) for i, row in enumerate(scores)]
    assert fused_ranks([(0, 20, scores)], nothing, Relation.from_rows(right)).tolist() == expected


def test_a_query_without_an_answer_is_refused() -> None:
    with pytest.raises(DataError, match="no right item"):
        fused_ranks([], [], Relation.from_rows([[]]))
