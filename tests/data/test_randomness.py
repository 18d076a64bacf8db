"""Laws of randomness: a pure function of its arguments, even, and different where it should be."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manyview.data.randomness import permutation, uniforms

ids = np.arange(5_000, dtype=np.int64) - 2_500
epochs = np.zeros(5_000, np.int64)


@given(st.integers(-(2**63), 2**63 - 1), st.integers(0, 2**31), st.integers(0, 2**64))
def test_a_draw_depends_on_seed_epoch_sample_and_purpose_alone(sample, epoch, seed):
    alone = uniforms(seed, np.array([epoch]), np.array([sample], np.int64), "crop", 7)
    together = uniforms(seed, np.array([3, epoch]), np.array([9, sample], np.int64), "crop", 9)
    np.testing.assert_array_equal(alone[0], together[1][:7])
    for other in (
        uniforms(seed + 1, np.array([epoch]), np.array([sample], np.int64), "crop", 7),
        uniforms(seed, np.array([epoch + 1]), np.array([sample], np.int64), "crop", 7),
        uniforms(seed, np.array([epoch]), np.array([sample ^ 1], np.int64), "crop", 7),
        uniforms(seed, np.array([epoch]), np.array([sample], np.int64), "flip", 7),
    ):
        assert (alone != other).any()


def test_draws_are_even_and_uncorrelated():
    draws = uniforms(0, epochs, ids, "x", 8)
    assert draws.min() >= 0
    assert draws.max() < 1
    counts = np.histogram(draws, 20, (0, 1))[0]
    assert ((counts - draws.size / 20) ** 2 / (draws.size / 20)).sum() < 43.8  # chi2(19) at 0.1 %
    correlations = np.corrcoef(np.hstack([draws, uniforms(0, epochs + 1, ids, "x", 2)]).T)
    assert np.abs(correlations - np.eye(10)).max() < 5 / np.sqrt(len(ids))


def test_permutations_hold_everything_once_and_differ_by_epoch():
    first, again, next_one = (permutation(4, epoch, "rows", 100) for epoch in (0, 0, 1))
    assert sorted(first) == list(range(100))
    np.testing.assert_array_equal(first, again)
    assert (first != next_one).any()
