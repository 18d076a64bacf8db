"""Laws of occurrences and of what is made of them."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from manyview.corpus.doctor.occurrences import Occurrences
from manyview.corpus.doctor.summary import summarize

PAIRS = st.lists(st.tuples(st.sampled_from([-(2**63), -5, 0, 3, 9, 2**62]), st.integers(0, 11)), max_size=40)
BOUNDS = {"train": (0, 6), "empty": (6, 6), "test": (6, 12)}


def filled(folder: Path, pairs: list[tuple[int, int]], limit: int) -> Occurrences:
    occurrences = Occurrences(folder, limit)
    for identity, row in pairs:
        occurrences.add(np.array([identity]), np.array([row]))
    return occurrences


def rows_by_identity(pairs: list[tuple[int, int]]) -> dict[int, list[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    for identity, row in pairs:
        found[identity].add(row)
    return {identity: sorted(rows) for identity, rows in found.items()}


@pytest.mark.parametrize("limit", [2, 1000])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(pairs=PAIRS)
def test_groups_are_the_rows_of_each_identity_on_disk_as_in_memory(
    tmp_path_factory: pytest.TempPathFactory, limit: int, pairs: list[tuple[int, int]]
) -> None:
    occurrences = filled(tmp_path_factory.mktemp("spill"), pairs, limit)
    found: dict[int, list[int]] = {}
    for groups in occurrences.groups():
        for number, identity in enumerate(groups.identities.tolist()):
            assert identity not in found
            found[identity] = groups.rows_of(number).tolist()
    assert found == rows_by_identity(pairs)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(pairs=PAIRS, limit=st.sampled_from([3, 1000]))
def test_the_summary_is_counted_by_loops(
    tmp_path_factory: pytest.TempPathFactory, limit: int, pairs: list[tuple[int, int]]
) -> None:
    expected = rows_by_identity(pairs)
    summary = summarize(filled(tmp_path_factory.mktemp("spill"), pairs, limit), BOUNDS, most=20)
    crossing = {identity: rows for identity, rows in expected.items() if rows[0] < 6 <= rows[-1]}
    assert summary.different == len(expected)
    assert summary.repeats == sum(len(rows) - 1 for rows in expected.values())
    assert summary.across == len(crossing)
    assert summary.across_rows == sum(map(len, crossing.values()))
    assert sorted(summary.crossing) == sorted((rows[0], rows[-1]) for rows in crossing.values())
    for split, (first, stop) in BOUNDS.items():
        inside = [[row for row in rows if first <= row < stop] for rows in expected.values()]
        assert summary.rows[split] == sum(map(len, inside))
        assert summary.distinct[split] == sum(map(bool, inside))
        assert summary.sizes[split] == {
            size: sum(len(rows) for rows in inside if len(rows) == size) for size in set(map(len, inside)) - {0}
        }
        shared = [row for rows in crossing.values() for row in rows if first <= row < stop]
        assert summary.shared[split] == len(shared)
    repeated = sorted((-len(rows), rows[0]) for rows in expected.values() if len(rows) > 1)
    assert [(-one.size, one.rows[0]) for one in summary.often] == repeated


def test_only_the_most_frequent_are_kept(tmp_path: Path) -> None:
    pairs = [(identity, row) for identity in range(8) for row in range(identity + 1)]
    summary = summarize(filled(tmp_path, pairs, 5), {"train": (0, 10)}, most=3)
    assert [(one.identity, one.size) for one in summary.often] == [(7, 8), (6, 7), (5, 6)]
