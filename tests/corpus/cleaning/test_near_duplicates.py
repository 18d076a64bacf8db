"""Laws of near-duplicates: what brute force finds, and nothing else."""

import resource
import time

import numpy as np
import pytest

from manyview.corpus.cleaning import bands, near_duplicates
from manyview.corpus.cleaning.near_duplicates import components, distinct_hashes, near_pairs, near_to, stand_ins
from manyview.corpus.split import components as joined
from manyview.errors import UsageError

CASES = ["random", "mutated", "ball", "shared half", "few values", "chain", "one bit each"]


def hashes(case: str, count: int, seed: int = 0) -> np.ndarray:
    """64-bit hashes that are easy or hard to search."""
    rng = np.random.default_rng(seed)
    word = rng.integers(0, 2**64, count, dtype=np.uint64)
    here = np.arange(count, dtype=np.uint64)
    one = np.uint64(1)
    made = {
        "random": lambda: word,
        "mutated": lambda: np.r_[word[: count // 4], flipped(word[: count // 4], 5, rng), word[count // 2 :]],
        "ball": lambda: flipped(np.zeros(count, np.uint64), 4, rng),  # blank pages with a stamp
        "shared half": lambda: flipped(
            (word >> np.uint64(32)) & np.uint64(0xFFFF), 3, rng
        ),  # half of the bands are mute
        "few values": lambda: word[rng.integers(0, 9, count)],
        "chain": lambda: np.bitwise_xor.accumulate(np.uint64(0xF) << (here * np.uint64(4) % np.uint64(61))),
        "one bit each": lambda: one << (word % np.uint64(64)),
    }
    return made[case]()


def flipped(words: np.ndarray, bits: int, rng: np.random.Generator) -> np.ndarray:
    """Up to `bits` bits changed."""
    for _ in range(bits):
        words = words ^ (np.uint64(1) << rng.integers(0, 64, len(words)).astype(np.uint64))
    return words


def by_brute_force(words: np.ndarray, distance: int) -> list[tuple[int, int, int]]:
    """(left, right, distance) of all close pairs."""
    apart = np.bitwise_count(words[:, None] ^ words[None])
    left, right = np.nonzero(np.triu(apart <= distance, 1))
    return list(zip(left.tolist(), right.tolist(), apart[left, right].tolist(), strict=True))


@pytest.fixture(params=["as it is", "recursive"])
def bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once with the real bounds, once with ones so low that small sets go through every branch."""
    if request.param == "recursive":
        for name, value in {"_SMALL": 3, "_LARGE": 20, "_TILE": (4, 16), "_SMALL_AT_ONCE": 50}.items():
            monkeypatch.setattr(bands, name, value)


@pytest.mark.usefixtures("bounds")
@pytest.mark.parametrize("distance", [0, 1, 4, 9])
@pytest.mark.parametrize("case", CASES)
def test_pairs_are_those_of_brute_force(case: str, distance: int) -> None:
    some = hashes(case, 300)
    found = near_pairs(some, distance)
    told = list(zip(found.left.tolist(), found.right.tolist(), found.distance.tolist(), strict=True))
    assert told == by_brute_force(found.hashes.words, distance)


@pytest.mark.usefixtures("bounds")
@pytest.mark.parametrize("distance", [1, 4])
@pytest.mark.parametrize("case", CASES)
def test_components_are_those_of_brute_force(case: str, distance: int) -> None:
    some = hashes(case, 300)
    keys: list[set[object]] = [{("hash", word)} for word in some.tolist()]
    for left, right, _ in by_brute_force(some, distance):
        keys[left].add(("pair", left, right))
        keys[right].add(("pair", left, right))
    assert components(some, distance).tolist() == joined(keys)


@pytest.mark.parametrize("case", ["mutated", "ball"])
def test_large_sets_pass_through_every_branch_with_the_real_bounds(case: str) -> None:
    some = hashes(case, 5000)
    found = near_pairs(some, 3)
    told = list(zip(found.left.tolist(), found.right.tolist(), found.distance.tolist(), strict=True))
    assert told == by_brute_force(found.hashes.words, 3)


@pytest.mark.parametrize("case", CASES)
def test_a_stand_in_is_the_first_kept_row_nearby(case: str) -> None:
    some = hashes(case, 300)
    kept: list[int] = []
    expected = []
    for row, word in enumerate(some.tolist()):
        near = [other for other in kept if (word ^ int(some[other])).bit_count() <= 4]
        expected.append(near[0] if near else row)
        kept += [] if near else [row]
    assert stand_ins(some, 4).tolist() == expected


def test_rows_without_a_hash_are_like_no_other() -> None:
    same = np.zeros(6, np.int64)
    present = np.array([True, False, True, False, True, True])
    assert components(same, 4, present).tolist() == [0, 1, 0, 2, 0, 0]
    assert stand_ins(same, 4, present).tolist() == [0, 1, 0, 3, 0, 0]
    assert len(distinct_hashes(same, present).words) == 1


def test_signed_hashes_are_the_same_bits() -> None:
    some = hashes("mutated", 400)
    assert components(some.view(np.int64)).tolist() == components(some).tolist()


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows_have_no_pairs(count: int) -> None:
    some = np.zeros(count, np.uint64)
    assert near_pairs(some).left.size == 0
    assert components(some).tolist() == list(range(count))


def test_a_million_equal_hashes_are_one() -> None:
    assert components(np.zeros(1_000_000, np.int64)).max() == 0


@pytest.mark.parametrize("distance", [-1, 17])
def test_a_distance_beyond_reason_is_refused(distance: int) -> None:
    with pytest.raises(UsageError, match="not between 0 and 16"):
        components(np.zeros(3, np.int64), distance)


def test_what_is_no_row_of_64_bit_integers_is_refused() -> None:
    with pytest.raises(UsageError, match="64-bit integers, got float64"):
        components(np.zeros(3))


@pytest.mark.parametrize("plainly", [True, False])
def test_near_to_is_what_brute_force_says(plainly: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_COMPARED_PLAINLY", 1e9 if plainly else 0)
    monkeypatch.setattr(near_duplicates, "_TILE", 1000)
    held, some = hashes("random", 300), hashes("mutated", 400, seed=0)
    near = (np.bitwise_count(some[:, None] ^ held) <= 4).any(axis=1)
    assert near.any() and not near.all()
    assert near_to(some, held.view(np.int64)).tolist() == near.tolist()
    assert near_to(some[:0], held).tolist() == []
    assert not near_to(some, held[:0]).any()


@pytest.mark.slow
@pytest.mark.parametrize("crowd", [0, 300_000])
def test_a_million_hashes_take_less_than_a_minute_and_two_gigabytes(crowd: int) -> None:
    rng = np.random.default_rng(0)
    some = rng.integers(0, 2**64, 1_000_000, dtype=np.uint64)
    copies = rng.permutation(1_000_000 - crowd)[:100_000]
    some[copies[:50_000]] = flipped(some[copies[50_000:]], 4, rng)
    some[1_000_000 - crowd :] = flipped(np.zeros(crowd, np.uint64), 4, rng)
    start = time.process_time()
    groups = components(some)
    assert time.process_time() - start < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 2 * 2**20
    assert (groups[copies[:50_000]] == groups[copies[50_000:]]).all()
    assert groups.max() + 1 == 950_000 - max(0, crowd - 1)
