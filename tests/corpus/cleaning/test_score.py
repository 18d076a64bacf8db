"""Laws of scores: a share keeps what sorting would keep, found by counting alone."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.cleaning.said import views

from manyview.corpus.cleaning.score import (
    TOO_LOW,
    UNSCORED,
    ScoreRules,
    ShareBounds,
    drop_by_score,
    scores_from_table,
)
from manyview.errors import UsageError

SCORES = st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=60)


def bounds_of(table: pa.Table, scores: np.ndarray, shares: dict[str, float], processes: int = 1) -> dict[str, float]:
    """Two passes over batches, shared out."""
    for_all = ShareBounds(shares)
    for last in (False, True):
        workers = [ShareBounds(shares, upper=for_all.upper) for _ in range(processes)]
        for index in range(table.num_rows):
            workers[index % processes].add(table.slice(index, 1), scores[index : index + 1])
        for worker in workers:
            for_all.merge(worker)
        if not last:
            for_all.narrow()
    return for_all.bounds()


@given(SCORES, st.floats(0.01, 1), st.integers(1, 3))
def test_the_bound_is_that_of_a_sorted_list(scores: list[float], share: float, processes: int) -> None:
    table = views(*((str(i), "alt", "x") for i in range(len(scores))))
    keep = max(1, round(share * len(scores)))
    lowest = sorted(scores, reverse=True)[keep - 1]
    assert bounds_of(table, np.array(scores, np.float32), {"alt": share}, processes) == {"alt": lowest}


@given(SCORES, st.floats(0.01, 1))
def test_kinds_have_bounds_of_their_own(scores: list[float], share: float) -> None:
    kinds = ["alt", "title"]
    table = views(*((str(i), kinds[i % 2], "x") for i in range(len(scores))))
    expected = {}
    for i, kind in enumerate(kinds):
        if own := sorted(scores[i::2], reverse=True):
            expected[kind] = own[max(1, round(share * len(own))) - 1]
    assert bounds_of(table, np.array(scores, np.float32), dict.fromkeys(kinds, share)) == expected


def test_scores_that_are_none_do_not_count() -> None:
    table = views(*((str(i), "alt", "x") for i in range(4)))
    scores = np.array([np.nan, 1, 2, np.nan], np.float32)
    assert bounds_of(table, scores, {"alt": 0.5, "title": 0.5}) == {"alt": 2.0}


def test_what_is_too_low_goes_by_kind() -> None:
    table = views(("a", "alt", "x"), ("b", "alt", "y"), ("c", "alt", "z"), ("d", "tags", "w"), ("e", "title", "v"))
    scores = np.array([0.1, 0.5, np.nan, 0.0, 0.2], np.float32)
    rules = ScoreRules(table="scores.parquet", at_least={"alt": 0.3}, best_share={"title": 0.5})
    kept, reasons = drop_by_score(table, scores, rules, {"title": 0.25})
    assert kept["id"].to_pylist() == ["b", "c", "d"]
    assert reasons == {TOO_LOW: 2}
    strict = rules.model_copy(update={"keep_unscored": False})
    kept, reasons = drop_by_score(table, scores, strict, {"title": 0.25})
    assert kept["id"].to_pylist() == ["b", "d"]
    assert reasons == {TOO_LOW: 2, UNSCORED: 1}


def test_a_bound_keeps_what_equals_it() -> None:
    table = views(("a", "alt", "x"), ("b", "alt", "y"))
    scores = np.array([0.1, 0.3], np.float32)
    rules = ScoreRules(table="scores.parquet", best_share={"alt": 1.0})
    assert drop_by_score(table, scores, rules, bounds_of(table, scores, rules.best_share))[0] == table


def test_a_kind_of_which_nothing_is_scored_has_no_bound_but_is_judged() -> None:
    table = views(("a", "alt", "x"), ("b", "title", "y"))
    scores = np.array([np.nan, np.nan], np.float32)
    rules = ScoreRules(table="scores.parquet", best_share={"alt": 0.5}, keep_unscored=False)
    kept, reasons = drop_by_score(table, scores, rules, bounds_of(table, scores, rules.best_share))
    assert kept["id"].to_pylist() == ["b"]
    assert reasons == {UNSCORED: 1}


def test_a_table_of_scores_is_looked_up_by_what_it_has() -> None:
    table = views(("a", "alt", "Red  car"), ("a", "title", "red car"), ("b", "alt", "red car"), ("a", "alt", "boat"))
    without_kind = pa.table(
        {"id": ["a", "b", "a"], "text": ["red car", "red car", "red car"], "score": [0.1, 0.2, 0.3]}
    )
    found = scores_from_table(without_kind)(table)
    assert np.allclose(found, [0.3, 0.3, 0.2, np.nan], equal_nan=True)
    with_kind = without_kind.append_column("kind", pa.array(["alt", "alt", "title"]))
    found = scores_from_table(with_kind)(table)
    assert np.allclose(found, [0.1, 0.3, 0.2, np.nan], equal_nan=True)
    assert np.isnan(scores_from_table(with_kind.slice(0, 0))(table)).all()


def test_a_score_without_a_kind_speaks_of_the_kinds_that_have_none_of_their_own() -> None:
    table = views(("a", "alt", "red car"), ("a", "title", "red car"), ("b", "alt", "boat"))
    rows = {"id": ["a", "a", "b"], "kind": ["alt", None, None], "text": ["red car", "red car", "boat"]}
    found = scores_from_table(pa.table({**rows, "score": [0.1, 0.2, 0.3]}))(table)
    assert np.allclose(found, [0.1, 0.2, 0.3])


def test_a_table_without_scores_is_refused() -> None:
    with pytest.raises(UsageError, match="lacks 'score', it has id, text"):
        scores_from_table(pa.table({"id": ["a"], "text": ["b"]}))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"best_share": {"alt": 0.0}}, {"best_share": {"alt": 1.5}}, {"at_least": {"a": 1}, "best_share": {"a": 1}}],
)
def test_rules_that_contradict_are_refused(wrong: dict[str, dict[str, float]]) -> None:
    with pytest.raises(ValueError, match="allowed"):
        ScoreRules.model_validate({"table": "scores.parquet", **wrong})
