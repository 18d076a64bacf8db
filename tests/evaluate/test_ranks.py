from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.errors import DataError
from manyview.evaluate.ranks import best_ranks, chance_recall_at, median_rank, nearest, recall_at
from manyview.evaluate.relation import Relation


def ranks_by_loops(queries: np.ndarray, gallery: np.ndarray, truths: list[list[int]]) -> list[int]:
    found = []
    for query, right in zip(queries, truths, strict=True):
        scores = [float(query @ item) for item in gallery]
        best = max(scores[item] for item in right)
        found.append(sum(score >= best for item, score in enumerate(scores) if item not in right))
    return found


@st.composite
def retrievals(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, list[list[int]]]:
    """Whole-numbered features, so that ties are exact and frequent."""
    queries, gallery = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    generator = np.random.default_rng(draw(st.integers(0, 10_000)))
    truths = [
        sorted(generator.choice(gallery, size=generator.integers(1, gallery + 1), replace=False).tolist())
        for _ in range(queries)
    ]
    features = [generator.integers(-1, 2, size=(rows, 3)).astype(np.float32) for rows in (queries, gallery)]
    return features[0], features[1], truths


@given(retrievals())
def test_ranks_equal_those_by_loops_ties_counting_against_the_model(
    case: tuple[np.ndarray, np.ndarray, list[list[int]]],
) -> None:
    queries, gallery, truths = case
    assert best_ranks(queries, gallery, Relation.from_rows(truths)).tolist() == ranks_by_loops(*case)


def test_chunks_give_the_ranks_of_the_whole() -> None:
    generator = np.random.default_rng(0)
    queries, gallery = (generator.standard_normal((rows, 16)).astype(np.float32) for rows in (50, 40))
    truths = Relation.from_rows([[index % 40, (index * 7) % 40] for index in range(50)])
    whole = best_ranks(queries, gallery, truths)
    for rows in (1, 3, 49):
        np.testing.assert_array_equal(best_ranks(queries, gallery, truths, chunk_bytes=rows * 40 * 4), whole)
        np.testing.assert_array_equal(
            nearest(queries, gallery, 5, chunk_bytes=rows * 40 * 4), nearest(queries, gallery, 5)
        )


def test_a_collapsed_model_ranks_last_even_when_rounding_tells_its_features_apart() -> None:
    generator = np.random.default_rng(1)
    features = np.ones((30, 64)) / 8 + 1e-9 * generator.standard_normal((30, 64))
    ranks = best_ranks(
        features.astype(np.float32),
        features.astype(np.float32),
        Relation.from_rows([[index] for index in range(30)]),
    )
    assert ranks.tolist() == [29] * 30


def test_a_further_right_item_never_makes_a_rank_worse() -> None:
    generator = np.random.default_rng(2)
    queries, gallery = (generator.standard_normal((20, 8)).astype(np.float32) for _ in range(2))
    one = best_ranks(queries, gallery, Relation.from_rows([[index] for index in range(20)]))
    two = best_ranks(queries, gallery, Relation.from_rows([[index, (index + 3) % 20] for index in range(20)]))
    assert np.all(two <= one)


def test_features_that_are_not_finite_are_refused() -> None:
    bad = np.full((1, 4), np.nan, dtype=np.float32)
    good = np.ones((2, 4), dtype=np.float32)
    with pytest.raises(DataError, match="query features hold NaN"):
        best_ranks(bad, good, Relation.from_rows([[0]]))
    with pytest.raises(DataError, match="gallery features hold NaN"):
        best_ranks(good, bad, Relation.from_rows([[0], [0]]))


def test_a_query_without_a_right_item_is_refused() -> None:
    features = np.ones((2, 4), dtype=np.float32)
    with pytest.raises(DataError, match="query 1 has no right item"):
        best_ranks(features, features, Relation.from_rows([[0], []]))


@given(retrievals(), st.integers(1, 9))
def test_nearest_is_a_stable_sort_by_score(case: tuple[np.ndarray, np.ndarray, list[list[int]]], top: int) -> None:
    queries, gallery, _ = case
    for query, found in zip(queries, nearest(queries, gallery, top), strict=True):
        ordered = sorted(range(len(gallery)), key=lambda item: (-float(query @ gallery[item]), item))
        assert found.tolist() == ordered[:top]


@pytest.mark.parametrize(("gallery", "right", "k"), [(6, 1, 2), (7, 3, 3), (5, 2, 4), (4, 2, 9), (5, 5, 1)])
def test_chance_is_the_share_of_all_draws_that_hold_a_right_item(gallery: int, right: int, k: int) -> None:
    draws = list(combinations(range(gallery), min(k, gallery)))
    share = sum(any(item < right for item in draw) for draw in draws) / len(draws)
    assert chance_recall_at(gallery, np.array([right]), k) == pytest.approx(share)
    assert chance_recall_at(gallery, np.array([right, gallery]), k) == pytest.approx((share + 1) / 2)


def test_recall_and_median_follow_their_definitions() -> None:
    ranks = np.array([0, 0, 3, 9, 10])
    assert [recall_at(ranks, k) for k in (1, 5, 10)] == [2 / 5, 3 / 5, 4 / 5]
    assert median_rank(ranks) == 4.0
