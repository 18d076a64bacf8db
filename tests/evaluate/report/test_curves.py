import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.evaluate.report.curves import loss_series, moving_average, pair_names


def row(step: int, **terms: float) -> dict[str, object]:
    return {"step": step, "terms": {name.replace("__", "->"): loss for name, loss in terms.items()}}


def test_a_pair_and_its_reverse_are_one_line_of_their_mean() -> None:
    rows = [row(1, image__title=3.0, title__image=1.0, title__tags=5.0), {"step": 2, "loss": 1.0}]
    assert pair_names(rows) == {
        "image ↔ title": ["image->title", "title->image"],
        "title → tags": ["title->tags"],
    }
    lines = loss_series(rows, {"image ↔ title": 2, "title → tags": 0})
    assert [(line.name, line.points, line.tone) for line in lines] == [
        ("image ↔ title", ((1.0, 2.0),), 2),
        ("title → tags", ((1.0, 5.0),), 0),
    ]


def test_long_runs_are_thinned_and_keep_both_ends() -> None:
    rows = [row(step, a__b=1.0) for step in range(1, 5001)]
    [line] = loss_series(rows, {"a → b": 0})
    assert len(line.points) <= 240
    assert (line.points[0][0], line.points[-1][0]) == (1.0, 5000.0)
    assert {loss for _, loss in line.points} == {1.0}


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.integers(1, 12))
def test_moving_averages_equal_those_by_loops(values: list[float], window: int) -> None:
    expected = []
    for index in range(len(values)):
        around = values[max(0, index - (window - 1) // 2) : index + window // 2 + 1]
        expected.append(sum(around) / len(around))
    assert moving_average(np.array(values), window).tolist() == pytest.approx(expected, abs=1e-9)


def test_losses_that_are_not_finite_are_left_out_of_the_average() -> None:
    assert moving_average(np.array([1.0, np.nan, 3.0]), 3).tolist() == [1.0, 2.0, 3.0]
