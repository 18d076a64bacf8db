"""Laws of components and splits."""

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.split import assign_splits, components, seeded_order
from manyview.errors import UsageError

KEYS = st.lists(st.sets(st.integers(0, 12), max_size=3), max_size=14)
SHARES = {"train": 0.8, "val": 0.05, "test": 0.15}


def reachable(keys: list[set[int]], start: int) -> set[int]:
    """All records that a chain of shared keys connects to `start`."""
    found, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        for other, own in enumerate(keys):
            if other not in found and own & keys[here]:
                found.add(other)
                frontier.append(other)
    return found


@given(KEYS)
def test_components_are_the_sets_reachable_over_shared_keys(keys: list[set[int]]) -> None:
    numbers = components(keys)
    for index in range(len(keys)):
        assert {other for other, number in enumerate(numbers) if number == numbers[index]} == reachable(keys, index)


@given(KEYS)
def test_components_are_numbered_by_first_appearance(keys: list[set[int]]) -> None:
    numbers = components(keys)
    assert list(dict.fromkeys(numbers)) == list(range(len(set(numbers))))


@given(
    st.dictionaries(st.text(min_size=1, max_size=6), st.floats(0.1, 9), min_size=1, max_size=60),
    st.integers(0, 5),
)
def test_small_splits_never_exceed_their_share(weights: dict[str, float], seed: int) -> None:
    assigned = assign_splits(list(weights), list(weights.values()), seed, SHARES)
    filled = Counter[str]()
    for split, weight in zip(assigned, weights.values(), strict=True):
        filled[split] += weight
    total = sum(weights.values())
    assert filled["val"] <= SHARES["val"] * total * (1 + 1e-6)
    assert filled["test"] <= SHARES["test"] * total * (1 + 1e-6)


@given(st.permutations([f"component {index}" for index in range(30)]))
def test_splits_depend_on_names_and_not_on_order(names: list[str]) -> None:
    weights = {name: 1.0 + int(name.split()[1]) % 4 for name in names}
    ordered = sorted(names)
    expected = dict(zip(ordered, assign_splits(ordered, [weights[name] for name in ordered], 7, SHARES), strict=True))
    assert dict(zip(names, assign_splits(names, [weights[name] for name in names], 7, SHARES), strict=True)) == expected


def test_equal_weights_reach_the_shares_and_another_seed_chooses_others() -> None:
    names = [f"n{index}" for index in range(1000)]
    one, other = (assign_splits(names, [1.0] * 1000, seed, SHARES) for seed in (0, 1))
    assert Counter(one) == Counter(other) == {"train": 800, "val": 50, "test": 150}
    assert one != other


def test_what_is_too_heavy_stays_in_the_largest_split() -> None:
    names = [f"n{index}" for index in range(200)]
    weights = [math.inf if index % 20 == 0 else 1.0 for index in range(200)]
    for seed in range(5):
        assigned = assign_splits(names, weights, seed, SHARES)
        assert {assigned[index] for index in range(0, 200, 20)} == {"train"}


@pytest.mark.parametrize("shares", [{}, {"train": 0.5}, {"train": 1.2, "test": -0.2}, {"train": 1.0, "test": 0.0}])
def test_shares_that_are_no_partition_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="shares must be positive and sum to 1"):
        assign_splits(["a"], [1.0], 0, shares)


def test_each_component_needs_a_weight() -> None:
    with pytest.raises(UsageError, match="one weight per component"):
        assign_splits(["a", "b"], [1.0], 0, SHARES)


def test_seeded_order_is_total_and_changes_with_the_seed() -> None:
    names = [f"n{index}" for index in range(50)]
    orders = [sorted(names, key=lambda name: seeded_order(seed, name)) for seed in (0, 0, 1)]
    assert orders[0] == orders[1] != orders[2]
