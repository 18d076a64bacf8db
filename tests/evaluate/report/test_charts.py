import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.evaluate.report.charts import (
    Axis,
    IntervalRow,
    Series,
    interval_chart,
    line_chart,
    plain,
    signed,
)


def drawn(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)


def percent(place: str | None) -> float:
    assert place is not None
    return float(place.removesuffix("%"))


@given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e5), st.integers(2, 8))
def test_ticks_are_round_evenly_spaced_and_on_the_axis(low: float, span: float, count: int) -> None:
    axis = Axis(low, low + span)
    found = axis.ticks(count)
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in found)
    if len(found) > 1:
        steps = {round(b - a, 9) for a, b in pairwise(found)}
        assert max(steps) - min(steps) < 1e-6 * span
        step = min(steps)
        leading = step / 10 ** math.floor(math.log10(step) + 1e-6)
        assert (
            leading == pytest.approx(1, rel=1e-3)
            or leading == pytest.approx(2, rel=1e-3)
            or (leading == pytest.approx(5, rel=1e-3))
        )
    assert count / 3 - 1 <= len(found) <= 2 * count + 2


def test_an_axis_without_length_has_one_tick() -> None:
    assert Axis(3.0, 3.0).ticks(4) == [3.0]
    assert Axis(3.0, 3.0).at(3.0) == 0.0


def test_lines_run_from_edge_to_edge_and_from_top_to_bottom() -> None:
    chart = drawn(line_chart([Series("a", ((10, 4.0), (20, 0.0)), 7)], label="l", x_label="step", y_label="loss"))
    [line] = chart.iter("polyline")
    assert line.get("points") == "0.00,0.0 100.00,190.0"
    assert line.get("class") == "line tone-1"


def test_a_single_point_is_a_chart_as_well() -> None:
    drawn(line_chart([Series("a", ((1, 0.0),))], label="l", x_label="x", y_label="y"))
    drawn(interval_chart([IntervalRow("g", "r", 0.0, 0.0, 0.0)], label="l", x_label="x"))


def test_dots_lie_within_their_intervals_and_on_their_side_of_zero() -> None:
    rows = [
        IntervalRow("a", "one", 3.0, 1.0, 5.0),
        IntervalRow("a", "two", -2.0, -4.0, -0.5),
        IntervalRow("b", "three", 1.0, -1.0, 3.0),
    ]
    chart = drawn(interval_chart(rows, label="l", x_label="x"))
    zero = percent(next(line for line in chart.iter("line") if line.get("class") == "zero").get("x1"))
    groups = list(chart.iter("g"))
    assert [group.get("class") for group in groups] == ["up", "down", "even"]
    for group, row in zip(groups, rows, strict=True):
        [line], [dot] = group.findall("line"), group.findall("circle")
        low, value, high = percent(line.get("x1")), percent(dot.get("cx")), percent(line.get("x2"))
        assert 0 <= low < value < high <= 100
        assert (value > zero) == (row.value > 0)
        assert (low > zero, high < zero) == (row.low > 0, row.high < 0)
    headings = [text.text for text in chart.iter("text") if text.get("class") == "group"]
    assert headings == ["a", "b"]


def test_texts_of_charts_are_escaped() -> None:
    bad = '<b>"&'
    for markup in (
        line_chart([Series(bad, ((0, 1.0), (1, 2.0)))], label=bad, x_label=bad, y_label=bad),
        interval_chart([IntervalRow(bad, bad, 1.0, 0.5, 2.0)], label=bad, x_label=bad),
    ):
        assert "<b>" not in markup
        assert drawn(markup)[0].get("aria-label") == bad


def test_numbers_are_signed_and_short() -> None:
    assert [signed(value) for value in (1.25, -1.26, 0.01, -0.01)] == ["+1.2", "−1.3", "0.0", "0.0"]
    assert [plain(value) for value in (1000.0, 0.5, -2.0)] == ["1,000", "0.5", "−2"]
    assert re.fullmatch(r"[+−][\d.]+", signed(-12.34, 2))
