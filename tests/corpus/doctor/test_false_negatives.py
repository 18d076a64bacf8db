"""Laws of the expected share of rows with a twin."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.doctor.false_negatives import share_with_twin

CONTENTS = st.lists(st.one_of(st.none(), st.integers(0, 4)), min_size=1, max_size=9)


def sizes_of(contents: Sequence[int | None]) -> Counter[int]:
    """For the formula: rows by how many rows share their content."""
    times = Counter(content for content in contents if content is not None)
    return Counter({size: sum(n for n in times.values() if n == size) for size in set(times.values())})


def by_enumeration(contents: Sequence[int | None], batch_size: int) -> float:
    """Rows with a twin over rows with a content, summed over every batch there is."""
    twins = rows = 0
    for batch in combinations(contents, batch_size):
        times = Counter(content for content in batch if content is not None)
        rows += sum(times.values())
        twins += sum(n for n in times.values() if n > 1)
    return twins / rows if rows else 0.0


@given(CONTENTS, st.data())
def test_the_formula_is_the_mean_over_every_batch(contents: list[int | None], data: st.DataObject) -> None:
    batch_size = data.draw(st.integers(1, len(contents)))
    share = share_with_twin(sizes_of(contents), len(contents), batch_size)
    assert share == pytest.approx(by_enumeration(contents, batch_size), abs=1e-12)


@given(st.integers(1, 40), st.integers(0, 30), st.data())
def test_it_is_the_hypergeometric_term_with_binomials(size: int, others: int, data: st.DataObject) -> None:
    population = size + others
    batch_size = data.draw(st.integers(1, population))
    alone = comb(population - size, batch_size - 1) / comb(population - 1, batch_size - 1)
    assert share_with_twin({size: size}, population, batch_size) == pytest.approx(1 - alone, abs=1e-12)


def test_simulated_batches_agree_with_it() -> None:
    generator = np.random.default_rng(3)
    contents = generator.zipf(1.6, size=3000) % 700
    shares = []
    for _ in range(300):
        batch = generator.choice(contents, 256, replace=False)
        times = np.bincount(batch)
        shares.append((times[batch] > 1).mean())
    expected = share_with_twin(sizes_of(contents.tolist()), 3000, 256)
    error = np.std(shares) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - expected) < 4 * error


def test_it_grows_with_the_batch_up_to_the_share_of_what_repeats() -> None:
    sizes = {1: 60, 2: 20, 20: 20}
    shares = [share_with_twin(sizes, 100, batch_size) for batch_size in range(1, 101)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(0.4)


def test_a_billion_rows_take_no_longer_than_the_most_frequent_content() -> None:
    share = share_with_twin({1: 900_000_000, 1000: 100_000_000}, 1_000_000_000, 65_536)
    assert share == pytest.approx(0.1 * (1 - np.exp(-999 * 65_535 / 999_999_999)), rel=1e-4)


@pytest.mark.parametrize("batch_size", [0, 11])
def test_a_batch_that_does_not_fit_is_refused(batch_size: int) -> None:
    with pytest.raises(ValueError, match="from 10 rows"):
        share_with_twin({1: 10}, 10, batch_size)
