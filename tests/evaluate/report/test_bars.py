import re
from xml.etree import ElementTree

import pytest

from manyview.evaluate.report.bars import Bar, bar_chart

BARS = [
    Bar("emoji", "one", 20.0, 15.0, 26.0),
    Bar("emoji", "many", 60.0, 52.0, 70.0, best=True),
    Bar("clip art", "one", 8.0),
]


def drawing(bars: list[Bar]) -> ElementTree.Element:
    return ElementTree.fromstring(str(bar_chart(bars, label="who", x_label="percent")))


def percent(element: ElementTree.Element, name: str) -> float:
    return float(element.attrib[name].removesuffix("%"))


def test_bars_are_as_long_as_their_values_on_one_scale() -> None:
    widths = [percent(bar, "width") for bar in drawing(BARS).iter("rect")]
    assert [width / widths[0] for width in widths] == pytest.approx([1.0, 3.0, 0.4], rel=1e-3)


def test_an_interval_lies_around_the_end_of_its_bar_and_inside_the_drawing() -> None:
    spans = [line for line in drawing(BARS).iter("line") if line.attrib["class"] == "span"]
    assert len(spans) == 2
    for span, bar in zip(spans, drawing(BARS).iter("rect"), strict=False):
        assert percent(span, "x1") < percent(bar, "width") < percent(span, "x2") <= 100


def test_each_group_has_one_heading_and_each_bar_its_value() -> None:
    texts = [(text.attrib["class"], text.text) for text in drawing(BARS).iter("text")]
    assert [text for kind, text in texts if kind == "group"] == ["emoji", "clip art"]
    assert [text for kind, text in texts if kind == "value"] == ["20.0", "60.0", "8.0"]


def test_labels_are_escaped() -> None:
    assert "<b>" not in re.sub(
        r"</?(text|title|g)\b[^>]*>", "", str(bar_chart([Bar("<b>", "<b>", 1.0)], label="<b>", x_label="<b>"))
    )
