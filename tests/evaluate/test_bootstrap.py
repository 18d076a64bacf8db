import numpy as np
import pytest

from manyview.errors import UsageError
from manyview.evaluate.bootstrap import paired_difference, recall_draws, recall_interval


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def found(hits: np.ndarray) -> np.ndarray:
    """Ranks that are within the first ten exactly where `hits`."""
    return np.where(hits, 0, 99)


def test_draws_have_the_mean_and_the_variance_of_a_binomial_share() -> None:
    ranks = found(np.arange(400) < 120)
    draws = recall_draws([[ranks]], 10, generator=rng(), resamples=200_000)[0]
    assert draws.mean() == pytest.approx(0.3, abs=3e-4)
    assert draws.var() == pytest.approx(0.3 * 0.7 / 400, rel=0.02)


def test_draws_are_those_of_resampling_queries_one_by_one() -> None:
    hits = rng(3).random((2, 40)) < 0.5
    draws = recall_draws([[found(hits[0])], [found(hits[1])]], 10, generator=rng(), resamples=100_000)
    picks = rng(4).integers(0, 40, size=(100_000, 40))
    plain = hits[:, picks].mean(axis=2)
    np.testing.assert_allclose(np.cov(draws), np.cov(plain), atol=2e-4)
    levels = [0.025, 0.25, 0.5, 0.75, 0.975]
    np.testing.assert_allclose(np.quantile(draws, levels, axis=1), np.quantile(plain, levels, axis=1), atol=0.026)


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    generator = rng(5)
    held = 0
    for _ in range(400):
        interval = recall_interval([found(generator.random(200) < 0.3)], 10, generator=generator, resamples=500)
        held += interval.low <= 0.3 <= interval.high
    assert 0.90 <= held / 400 <= 0.98


def test_the_interval_surrounds_the_estimate_and_widens_with_the_level() -> None:
    ranks = found(np.arange(100) < 60)
    narrow = recall_interval([ranks], 10, generator=rng(), level=0.5)
    wide = recall_interval([ranks], 10, generator=rng(), level=0.99)
    assert wide.low < narrow.low < narrow.value == 0.6 < narrow.high < wide.high


def test_a_recipe_differs_from_itself_by_nothing_at_all() -> None:
    ranks = rng().integers(0, 40, size=300)
    paired = paired_difference([ranks], [ranks], 10, generator=rng())
    assert (paired.difference.low, paired.difference.value, paired.difference.high) == (0.0, 0.0, 0.0)
    assert not paired.difference.excludes_zero


def test_a_constant_gain_has_the_interval_of_its_closed_form() -> None:
    before, after = found(np.arange(1000) < 400), found(np.arange(1000) < 500)
    paired = paired_difference([before], [after], 10, generator=rng(), resamples=50_000)
    deviation = np.sqrt(0.1 * 0.9 / 1000)
    assert paired.difference.value == pytest.approx(0.1)
    assert paired.difference.low == pytest.approx(0.1 - 1.96 * deviation, abs=2e-3)
    assert paired.difference.high == pytest.approx(0.1 + 1.96 * deviation, abs=2e-3)
    assert paired.relative is not None
    assert paired.relative.value == pytest.approx(0.25)
    assert paired.relative.low < 0.25 < paired.relative.high


def test_swapping_the_recipes_mirrors_the_interval() -> None:
    one, other = (rng(seed).integers(0, 30, size=200) for seed in (1, 2))
    there = paired_difference([one], [other], 10, generator=rng(), resamples=100_000).difference
    back = paired_difference([other], [one], 10, generator=rng(), resamples=100_000).difference
    assert back.value == -there.value
    assert back.low == pytest.approx(-there.high, abs=0.006)
    assert back.high == pytest.approx(-there.low, abs=0.006)


def test_a_baseline_that_finds_nothing_has_no_relative_difference() -> None:
    nothing, half = found(np.zeros(50, dtype=bool)), found(np.arange(50) < 25)
    assert paired_difference([nothing], [half], 10, generator=rng()).relative is None


def test_seeds_are_averaged_query_by_query() -> None:
    ranks = rng().integers(0, 30, size=(3, 200))
    interval = recall_interval(list(ranks), 10, generator=rng())
    assert interval.value == pytest.approx(float(np.mean(ranks < 10)))
    doubled = recall_interval([*ranks, *ranks], 10, generator=rng())
    assert (doubled.low, doubled.high) == pytest.approx((interval.low, interval.high))


def test_copies_of_a_query_in_its_cluster_add_no_certainty() -> None:
    ranks = rng().integers(0, 30, size=150)
    alone = recall_interval([ranks], 10, generator=rng())
    copied = recall_interval([np.repeat(ranks, 6)], 10, generator=rng(), clusters=np.repeat(np.arange(150), 6))
    assert copied == alone
    believed = recall_interval([np.repeat(ranks, 6)], 10, generator=rng())
    assert believed.high - believed.low < 0.6 * (alone.high - alone.low)


def test_seeds_that_ranked_different_queries_are_refused() -> None:
    with pytest.raises(UsageError, match=r"lengths \[3, 4\]"):
        recall_interval([np.zeros(3, dtype=np.int64), np.zeros(4, dtype=np.int64)], 10, generator=rng())
