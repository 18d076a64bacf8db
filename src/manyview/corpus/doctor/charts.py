"""Charts as inline SVG: lines over batch sizes, ranges of lengths, the dots of a combination.

Horizontal places are percentages while text and heights are pixels, so one drawing serves a wide screen
and a phone. Colors come from the classes of the page's style sheet, which knows both themes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from manyview.corpus.doctor.quantiles import Quantiles

__all__ = ["TONES", "Line", "Range", "combination_dots", "range_chart", "share_chart"]

TONES = 6
_TOP_PX, _PLOT_PX, _BELOW_PX = 26, 200, 44
_ROW_PX, _HEADING_PX = 28, 22
_LABEL_CHARACTERS = 15
_DOT_PX = 24

Across = Callable[[float], float]
"""A value's place from the left, in percent."""


@dataclass(frozen=True)
class Line:
    """Shares, 0 to 1, over batch sizes."""

    name: str
    points: tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Range:
    """Where the values of a row lie."""

    name: str
    values: Quantiles


def share_chart(lines: Sequence[Line], *, label: str, x_label: str, y_label: str) -> Markup:
    """A line each; batch sizes stand at equal ratios."""
    sizes = sorted({size for line in lines for size, _ in line.points})
    low, high = math.log2(sizes[0]), math.log2(sizes[-1])

    def across(size: float) -> float:
        return 100 * (math.log2(size) - low) / (high - low) if high > low else 50.0

    levels = [_level(_TOP_PX + _PLOT_PX * (1 - tick / 100), f"{tick}") for tick in (0, 25, 50, 75, 100)]
    steps = [_tick(across(size), _TOP_PX + _PLOT_PX + 18, _short(size)) for size in _at_most(sizes, 9)]
    titles = [
        Markup('<text class="axis" x="-34" y="11">{}</text>').format(y_label),
        Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(
            _TOP_PX + _PLOT_PX + 40, x_label
        ),
    ]
    drawn = Markup("").join(_polyline(line, tone, across) for tone, line in enumerate(lines))
    plot = Markup(
        '<svg y="{y}" width="100%" height="{height}" viewBox="0 0 100 {height}" preserveAspectRatio="none">'
        "{drawn}</svg>"
    ).format(y=_TOP_PX, height=_PLOT_PX, drawn=drawn)
    return _svg("lines", label, _TOP_PX + _PLOT_PX + _BELOW_PX, [*levels, *steps, *titles, plot])


def range_chart(rows: Sequence[Range], *, limits: Sequence[int], label: str, x_label: str) -> Markup:
    """From 5 to 95 % a line, from 25 to 75 % a bar, a dot at the median; `limits` are lines across."""
    most = max([*limits, *(row.values.p95 for row in rows), 1])
    ticks = [tick for tick in (1, 4, 16, 64, 256, 1024, 4096, 16384) if tick <= most]

    def across(value: float) -> float:
        return 100 * math.log2(1 + value) / math.log2(1 + most)

    bottom = _HEADING_PX + _ROW_PX * len(rows)
    grid = [_vertical("grid", across(tick), 16, bottom + 4) for tick in ticks]
    marks = [_vertical("limit", across(limit), 16, bottom + 4) for limit in limits]
    names = [_tick(across(limit), 10, str(limit), "limit") for limit in _apart(limits, across)]
    body = [_range(row, _HEADING_PX + _ROW_PX * number + _ROW_PX // 2, across) for number, row in enumerate(rows)]
    scale = [_tick(across(tick), bottom + 20, f"{tick:,}") for tick in ticks]
    title = Markup('<text class="axis" x="50%" y="{}" text-anchor="middle">{}</text>').format(bottom + 40, x_label)
    return _svg("ranges", label, bottom + _BELOW_PX, [*grid, *marks, *names, *body, *scale, title])


def combination_dots(present: Sequence[bool]) -> Markup:
    """A dot a kind, full where it is there, the full ones joined."""
    middle = [_DOT_PX * place + _DOT_PX / 2 for place in range(len(present))]
    full = [x for x, there in zip(middle, present, strict=True) if there]
    joint = Markup('<line class="joint" x1="{}" x2="{}" y1="11" y2="11"/>').format(full[0], full[-1]) if full else ""
    dots = Markup("").join(
        Markup('<circle class="{}" cx="{}" cy="11" r="5.5"/>').format("there" if there else "absent", x)
        for x, there in zip(middle, present, strict=True)
    )
    return Markup('<svg class="dots" width="{}" height="22" aria-hidden="true">{}{}</svg>').format(
        _DOT_PX * len(present), joint, dots
    )


def _range(row: Range, y: int, across: Across) -> Markup:
    values = row.values
    name = row.name if len(row.name) <= _LABEL_CHARACTERS else row.name[: _LABEL_CHARACTERS - 1] + "…"
    return Markup(
        "<g><title>{full}: median {median:g}, 90 % between {p5:g} and {p95:g}, at most {most:g}</title>"
        '<text class="label" x="-12" y="{base}" text-anchor="end">{name}</text>'
        '<line class="span" x1="{a:.2f}%" x2="{b:.2f}%" y1="{y}" y2="{y}"/>'
        '<line class="box" x1="{c:.2f}%" x2="{d:.2f}%" y1="{y}" y2="{y}"/>'
        '<circle class="dot" cx="{m:.2f}%" cy="{y}" r="5"/></g>'
    ).format(
        full=row.name,
        name=name,
        base=y + 4,
        y=y,
        median=values.median,
        p5=values.p5,
        p95=values.p95,
        most=values.most,
        a=across(values.p5),
        b=across(values.p95),
        c=across(values.p25),
        d=across(values.p75),
        m=across(values.median),
    )


def _polyline(line: Line, tone: int, across: Across) -> Markup:
    points = " ".join(f"{across(size):.2f},{_PLOT_PX * (1 - share):.1f}" for size, share in line.points)
    return Markup('<polyline class="line tone-{}{}" points="{}"><title>{}</title></polyline>').format(
        tone % TONES, " dashed" if tone >= TONES else "", points, line.name
    )


def _level(y: float, text: str) -> Markup:
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
        '<text class="tick" x="-8" y="{base:.1f}" text-anchor="end">{text}</text>'
    ).format(y=y, base=y + 4, text=text)


def _vertical(kind: str, x: float, top: int, bottom: int) -> Markup:
    return Markup('<line class="{}" x1="{x:.2f}%" x2="{x:.2f}%" y1="{}" y2="{}"/>').format(kind, top, bottom, x=x)


def _tick(x: float, y: int, text: str, kind: str = "tick") -> Markup:
    anchor = "start" if x < 5 else "end" if x > 95 else "middle"
    return Markup('<text class="{}" x="{:.2f}%" y="{}" text-anchor="{}">{}</text>').format(kind, x, y, anchor, text)


def _at_most(sizes: Sequence[int], most: int) -> Sequence[int]:
    """Every so many, ending with the last."""
    every = max(1, -(-len(sizes) // most))
    return sizes[::-1][::every]


def _apart(limits: Sequence[int], across: Across) -> list[int]:
    """Those whose names do not run into the next one's."""
    kept: list[int] = []
    for limit in sorted(limits, reverse=True):
        if not kept or across(kept[-1]) - across(limit) > 9:
            kept.append(limit)
    return kept


def _short(size: int) -> str:
    return f"{size // 1024}k" if size >= 1024 and size % 1024 == 0 else str(size)


def _svg(kind: str, label: str, height: int, parts: Sequence[Markup]) -> Markup:
    start = Markup('<svg class="chart" role="img" aria-label="{}" width="100%" height="{}">').format(label, height)
    return Markup('<div class="{}">').format(kind) + start + Markup("").join(parts) + Markup("</svg></div>")
