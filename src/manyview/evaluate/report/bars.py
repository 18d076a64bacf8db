"""Bars: figures with their intervals, a row each under the heading of its group, as inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from manyview.evaluate.report.charts import HEADING_PX, Axis, plain, svg

__all__ = ["BARS_STYLE", "Bar", "bar_chart"]

_ROW_PX, _BAR_PX, _FOOT_PX = 27, 15, 46
_LABEL_COLUMN_PX = 190

BARS_STYLE = """
.bars { padding: 0 64px 0 190px; }
.bars .group { font-size: 13px; font-weight: 650; fill: var(--ink); }
.bars .label { font-size: 13px; fill: var(--ink); }
.bars .bar { fill: var(--other); fill-opacity: .45; }
.bars .best .bar { fill: var(--accent); fill-opacity: 1; }
.bars .span { stroke: var(--ink); stroke-opacity: .6; stroke-width: 1.5; }
.bars .value { font-size: 13px; fill: var(--ink); }
.bars .best .value, .bars .best .label { font-weight: 650; }
"""
"""Style of the chart, to stand beside the page's own."""


@dataclass(frozen=True)
class Bar:
    """A figure in percent with its interval; `best` draws it in the color of the candidate."""

    group: str
    label: str
    value: float
    low: float | None = None
    high: float | None = None
    best: bool = False


def bar_chart(bars: Sequence[Bar], *, label: str, x_label: str) -> Markup:
    """One bar a row from zero, its interval as a line, its value at the right; a heading where the group changes."""
    across = Axis(0.0, max(1.0, *(bar.value if bar.high is None else bar.high for bar in bars)) * 1.02)
    body: list[Markup] = []
    y = 0
    for before, bar in zip((None, *bars), bars, strict=False):
        if before is None or before.group != bar.group:
            y += HEADING_PX
            body.append(
                Markup('<text class="group" x="-{}" y="{}">{}</text>').format(_LABEL_COLUMN_PX, y - 10, bar.group)
            )
        body.append(_row(bar, y + _ROW_PX // 2, across))
        y += _ROW_PX
    marks = across.ticks(5)
    grid = [
        Markup('<line class="grid" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>').format(
            HEADING_PX - 6, y + 4, x=across.at(mark)
        )
        for mark in marks
    ]
    scale = [
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
            across.at(mark), y + 20, plain(mark)
        )
        for mark in marks
    ]
    title = Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(y + 40, x_label)
    return svg("bars", label, y + _FOOT_PX, [*grid, *body, *scale, title])


def _row(bar: Bar, y: int, across: Axis) -> Markup:
    interval = Markup("")
    text = f"{bar.group}, {bar.label}: {bar.value:.1f}"
    if bar.low is not None and bar.high is not None:
        text += f" ({bar.low:.1f} to {bar.high:.1f})"
        interval = Markup('<line class="span" x1="{:.2f}%" x2="{:.2f}%" y1="{y}" y2="{y}"/>').format(
            across.at(bar.low), across.at(bar.high), y=y
        )
    return Markup(
        '<g class="{}"><title>{}</title><text class="label" x="-12" y="{base}" text-anchor="end">{}</text>'
        '<rect class="bar" x="0" y="{}" width="{:.2f}%" height="{}" rx="3"/>{}'
        '<text class="value" x="100%" dx="56" y="{base}" text-anchor="end">{:.1f}</text></g>'
    ).format(
        "best" if bar.best else "rest",
        text,
        bar.label,
        y - _BAR_PX // 2,
        across.at(bar.value),
        _BAR_PX,
        interval,
        bar.value,
        base=y + 4,
    )
