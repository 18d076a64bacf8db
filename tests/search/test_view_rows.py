import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from manyview.search.top import top_rows
from manyview.search.view_rows import ViewRows, WeightedRecords

DIM = 6


def unit_rows(random: np.random.Generator, count: int) -> np.ndarray:
    rows = random.normal(size=(count, DIM))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def made_views(random: np.random.Generator, records: int, views: int) -> dict[str, ViewRows]:
    """Views that any of the records may have, with vectors of any direction."""
    present = [np.flatnonzero(random.random(records) < random.random()) for _ in range(views)]
    return {f"view {i}": ViewRows(unit_rows(random, len(rows)), rows) for i, rows in enumerate(present)}


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 4), st.integers(1, 50))
def test_record_vectors_read_in_blocks_are_the_sums_of_the_definition(
    seed: int, records: int, views: int, block: int
) -> None:
    random = np.random.default_rng(seed)
    made = made_views(random, records, views)
    weights = {name: float(random.choice([0.0, 0.5, 1.0, 3.0])) for name in made}
    expected = {}
    for record in range(records):
        total, present = np.zeros(DIM), False
        for name, view in made.items():
            for place, row in enumerate(view.rows):
                if row == record and weights[name] > 0:
                    total += weights[name] * view.features[place]
                    present = True
        if present:
            expected[record] = total / np.linalg.norm(total)
    weighted = WeightedRecords(made, weights, DIM)
    assert weighted.rows.tolist() == list(expected)
    read = [weighted[start : start + block] for start in range(0, len(weighted), block)]
    assert np.allclose(
        np.concatenate([np.empty((0, DIM)), *read]), [*expected.values()] or np.empty((0, DIM)), atol=1e-5
    )
    query = unit_rows(random, 1)[0]
    places, scores = top_rows(weighted, query, 5, block_rows=block)
    best = sorted((float(vector @ query) for vector in expected.values()), reverse=True)[:5]
    assert np.allclose(scores, best, atol=1e-5)
    assert np.allclose([expected[row] @ query for row in weighted.rows[places].tolist()], best, atol=1e-5)


@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_the_cosines_of_records_are_those_of_the_loop_and_of_these_records_only(seed: int, records: int) -> None:
    random = np.random.default_rng(seed)
    view = made_views(random, records, 1)["view 0"]
    query = unit_rows(random, 1)[0]
    asked = random.permutation(records)[: random.integers(0, records + 1)]
    expected = {int(row): float(view.features[i] @ query) for i, row in enumerate(view.rows) if row in asked}
    cosines = view.cosines(query, asked)
    assert cosines.keys() == expected.keys()
    assert all(np.isclose(cosines[row], expected[row], atol=1e-6) for row in expected)
