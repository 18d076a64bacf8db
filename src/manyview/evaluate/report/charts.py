"""Charts as inline SVG: lines over steps, and intervals against zero.

Horizontal places are percentages while text and heights are pixels, so one drawing serves a wide screen
and a phone. Colors come from the classes of the page's style sheet, which knows both themes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

TONES = 6
PLOT_TOP_PX, PLOT_PX, BELOW_PX = 26, 190, 40
ROW_PX, HEADING_PX = 25, 36
LABEL_COLUMN_PX = 112


@dataclass(frozen=True)
class Series:
    """A line of a chart; `tone` (modulo TONES) chooses its color."""

    name: str
    points: tuple[tuple[float, float], ...]
    tone: int = 0


@dataclass(frozen=True)
class IntervalRow:
    """An estimate and its interval, under the heading of its group."""

    group: str
    label: str
    value: float
    low: float
    high: float

    @property
    def side(self) -> str:
        """Up or down when the interval excludes zero, else even."""
        if self.low > 0:
            return "up"
        return "down" if self.high < 0 else "even"


@dataclass(frozen=True)
class Axis:
    """A linear map of [low, high] to [0, size]."""

    low: float
    high: float
    size: float = 100.0

    def at(self, value: float) -> float:
        return self.size * (value - self.low) / ((self.high - self.low) or 1.0)

    def ticks(self, count: int) -> list[float]:
        """About `count` places on the axis, multiples of 1, 2 or 5 times a power of ten."""
        rough = (self.high - self.low) / count
        if rough <= 0:
            return [self.low]
        power = 10.0 ** math.floor(math.log10(rough))
        step = min((factor * power for factor in (1, 2, 5, 10)), key=lambda step: abs(math.log(step / rough)))
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(index * step, 12) for index in range(first, last + 1)]


def line_chart(
    series: Sequence[Series],
    *,
    label: str,
    x_label: str,
    y_label: str,
    y_range: tuple[float, float] | None = None,
) -> Markup:
    """Lines over a shared horizontal axis; the vertical one starts at zero unless `y_range` is given."""
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    across = Axis(min(xs), max(xs))
    up = Axis(*(y_range or (min(0.0, *ys), max(ys))), size=PLOT_PX)
    bottom = PLOT_TOP_PX + PLOT_PX
    frame = [
        Markup('<text class="axis" x="-40" y="11">{}</text>').format(y_label),
        *(_level(bottom - up.at(tick), tick) for tick in up.ticks(4)),
        *(_step(across.at(tick), bottom + 18, tick) for tick in across.ticks(4)),
        Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(bottom + 36, x_label),
    ]
    plot = Markup(
        '<svg y="{y}" width="100%" height="{height}" viewBox="0 0 100 {height}" preserveAspectRatio="none">'
        "{lines}</svg>"
    ).format(y=PLOT_TOP_PX, height=PLOT_PX, lines=Markup("").join(_line(one, across, up) for one in series))
    return svg("lines", label, bottom + BELOW_PX, [*frame, plot])


def interval_chart(rows: Sequence[IntervalRow], *, label: str, x_label: str) -> Markup:
    """A dot and its interval a row, a heading a group, the value at the right."""
    bounds = [0.0, *(bound for row in rows for bound in (row.low, row.high, row.value))]
    margin = 0.04 * (max(bounds) - min(bounds)) or 1.0
    across = Axis(min(bounds) - margin, max(bounds) + margin)
    body: list[Markup] = []
    y = 0
    for before, row in zip((None, *rows), rows, strict=False):
        if before is None or before.group != row.group:
            y += HEADING_PX
            body.append(
                Markup('<text class="group" x="-{}" y="{}">{}</text>').format(LABEL_COLUMN_PX, y - 10, row.group)
            )
        body.append(_interval(row, y + ROW_PX // 2, across))
        y += ROW_PX
    marks = across.ticks(4)
    digits = 0 if all(mark == int(mark) for mark in marks) else 1
    grid = [
        Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>').format(
            "zero" if mark == 0 else "grid", HEADING_PX - 6, y + 4, x=across.at(mark)
        )
        for mark in marks
    ]
    scale = [
        Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
            across.at(mark), y + 20, signed(mark, digits)
        )
        for mark in marks
    ]
    title = Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(y + 40, x_label)
    return svg("intervals", label, y + 46, [*grid, *body, *scale, title])


def plain(value: float) -> str:
    """A number as short as its digits allow, thousands apart, with a typographic minus."""
    return f"{value:,.10g}".replace("-", "−")


def signed(value: float, digits: int = 1) -> str:
    """The number with its sign, rounded; what rounds to zero has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text.replace("-", "−")


def _level(y: float, value: float) -> Markup:
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="tick" x="-8" y="{base:.1f}" text-anchor="end">{value}</text>'
    ).format(y=y, base=y + 4, value=plain(value))


def _step(x: float, y: int, value: float) -> Markup:
    anchor = "start" if x < 5 else "end" if x > 95 else "middle"
    return Markup('<text class="tick" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(x, y, anchor, plain(value))


def _line(series: Series, across: Axis, up: Axis) -> Markup:
    points = " ".join(f"{across.at(x):.2f},{PLOT_PX - up.at(y):.1f}" for x, y in series.points)
    return Markup('<polyline class="line tone-{}" points="{}"><title>{}</title></polyline>').format(
        series.tone % TONES, points, series.name
    )


def _interval(row: IntervalRow, y: int, across: Axis) -> Markup:
    text = f"{row.group}, {row.label}: {signed(row.value)} ({signed(row.low)} to {signed(row.high)})"
    return Markup(
        '<g class="{side}"><title>{text}</title>'
        '<text class="label" x="-12" y="{base}" text-anchor="end">{label}</text>'
        '<line class="span" x1="{low:.2f}%" x2="{high:.2f}%" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{dot:.2f}%" cy="{y}" r="4.5"/>'
        '<text class="value" x="100%" dx="52" y="{base}" text-anchor="end">{value}</text></g>'
    ).format(
        side=row.side,
        text=text,
        label=row.label,
        low=across.at(row.low),
        high=across.at(row.high),
        dot=across.at(row.value),
        value=signed(row.value),
        y=y,
        base=y + 4,
    )


def svg(kind: str, label: str, height: int, parts: Sequence[Markup]) -> Markup:
    """The parts of a drawing, `height` pixels high, in a box of the class `kind`; `label` is read aloud."""
    start = Markup('<svg class="chart" role="img" aria-label="{}" width="100%" height="{}">').format(label, height)
    return Markup('<div class="{}">').format(kind) + start + Markup("").join(parts) + Markup("</svg></div>")
