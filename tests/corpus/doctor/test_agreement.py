"""Laws of the agreement between two kinds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.doctor.agreement import MOST_WORDS, agreements, words

SETS = st.frozensets(st.sampled_from("abcdef"), max_size=4)


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 0.0


@given(st.lists(st.tuples(SETS, SETS), min_size=2, max_size=12), st.integers(0, 3))
def test_overlaps_are_those_of_the_own_and_of_the_next_record(
    records: list[tuple[frozenset[str], frozenset[str]]], seed: int
) -> None:
    (found,) = agreements([{"caption": a, "tags": b} for a, b in records], 2, seed)
    order = np.random.default_rng(seed).permutation(len(records)).tolist()
    own = [jaccard(*records[row]) for row in order]
    strange = [jaccard(records[row][0], records[order[(i + 1) % len(order)]][1]) for i, row in enumerate(order)]
    assert found.overlap == pytest.approx(np.mean(own))
    assert found.overlap_by_chance == pytest.approx(np.mean(strange))
    assert found.shared == np.mean([bool(a & b) for a, b in records])
    assert 0 <= found.wins <= 1


def test_two_kinds_that_agree_in_no_word_can_still_go_together() -> None:
    pairs = [("red", "rot"), ("blue", "blau"), ("green", "grün"), ("black", "schwarz")] * 40
    (found,) = agreements([{"en": frozenset({a}), "de": frozenset({b})} for a, b in pairs], 20, 0)
    assert (found.overlap, found.shared) == (0, 0)
    assert found.wins > 0.8
    assert not found.by_chance(0.02)


def test_two_kinds_of_other_records_agree_by_chance() -> None:
    generator = np.random.default_rng(1)
    records = [
        {kind: frozenset(generator.choice(list("abcdefgh"), 3).tolist()) for kind in ("caption", "tags")}
        for _ in range(600)
    ]
    (found,) = agreements(records, 20, 0)
    assert found.by_chance(0.02)


def test_kinds_with_few_records_in_common_are_not_compared() -> None:
    records = [{"caption": frozenset("a")}, {"tags": frozenset("a")}, {"caption": frozenset("b"), "tags": frozenset()}]
    assert agreements(records, 2, 0) == ()


def test_words_of_scripts_without_spaces_are_pairs_of_characters() -> None:
    assert words(["红色的鞋", "Red SHOES, red!"]) == {"红色", "色的", "的鞋", "red", "shoes"}
    assert words(["鞋"]) == {"鞋"}


def test_a_long_text_gives_its_first_words() -> None:
    assert words([" ".join(f"w{number}" for number in range(10_000))]) == {f"w{number}" for number in range(MOST_WORDS)}
