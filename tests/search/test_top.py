from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.search.top import first_of_groups, top_rows


def brute_force(features: np.ndarray, query: np.ndarray, top: int) -> tuple[list[int], list[float]]:
    scores = []
    for row in features:
        score = 0.0
        for a, b in zip(row.tolist(), query.tolist(), strict=True):
            score += a * b
        scores.append(score)
    rows = sorted(range(len(scores)), key=lambda i: (-scores[i], i))[:top]
    return rows, [scores[i] for i in rows]


def unit(rows: np.ndarray) -> np.ndarray:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 20), st.integers(1, 70), st.integers(1, 70))
def test_the_top_is_that_of_the_loop_whatever_the_block(seed: int, n: int, dim: int, top: int, block: int) -> None:
    random = np.random.default_rng(seed)
    features, query = unit(random.normal(size=(n, dim))), unit(random.normal(size=dim))
    rows, scores = top_rows(features, query, top, block_rows=block)
    expected_rows, expected_scores = brute_force(features, query, top)
    assert scores.tolist() == pytest.approx(expected_scores, abs=1e-12)
    if dim > 2:  # in one or two dimensions the loop's own rounding decides between near-equal rows
        assert rows.tolist() == expected_rows


@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 40), st.integers(1, 64))
def test_equal_rows_tie_in_row_order_at_every_edge_of_a_block(seed: int, n: int, top: int, block: int) -> None:
    random = np.random.default_rng(seed)
    different = unit(random.normal(size=(3, 67)))
    owner = random.integers(0, 3, n)
    query = unit(random.normal(size=67))
    rows, _ = top_rows(different[owner], query, top, block_rows=block)
    exact = different.astype(float) @ query.astype(float)
    expected = sorted(range(n), key=lambda i: (-exact[owner[i]], i))[:top]
    assert rows.tolist() == expected


def test_nothing_is_found_in_an_empty_matrix() -> None:
    rows, scores = top_rows(np.empty((0, 5), np.float32), np.ones(5, np.float32), 3)
    assert (rows.size, scores.size) == (0, 0)


@given(st.lists(st.integers(-3, 3), max_size=40), st.integers(1, 4))
def test_the_first_of_each_group_are_those_of_the_loop(groups: list[int], count: int) -> None:
    seen = Counter[int]()
    expected = []
    for position, group in enumerate(groups):
        seen[group] += 1
        if seen[group] <= count:
            expected.append(position)
    assert first_of_groups(np.array(groups, np.int64), count).tolist() == expected
