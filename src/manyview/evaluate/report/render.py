"""The page itself: a template filled with escaped data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from manyview.evaluate.report.bars import BARS_STYLE
from manyview.evaluate.report.charts import Series, interval_chart, line_chart, signed
from manyview.evaluate.report.curves import loss_series, pair_names
from manyview.evaluate.report.data import Recipe, ReportData
from manyview.evaluate.report.images import data_uri
from manyview.evaluate.report.records import CONTROLS, record_tables, record_verdict
from manyview.evaluate.report.tables import DIRECTIONS, METRICS, difference_rows, kind_label, source_tables
from manyview.evaluate.report.verdict import verdict
from manyview.evaluate.showcase import ShownQuery
from manyview.page import page_environment

X_LABEL = "difference in R@10, percentage points"


def render_report(data: ReportData) -> str:
    """One HTML page that loads nothing: style, charts and images are inside, and it needs no script.

    Raises DataError for an image that is not PNG, JPEG, GIF or WebP.
    """
    tables = source_tables(data)
    filters: dict[str, Any] = {
        "count": lambda value: f"{value:,}",
        "data_uri": data_uri,
        "decimal": lambda value, digits=1: f"{value:.{digits}f}",
        "duration": duration,
        "kind": kind_label,
        "signed": signed,
    }
    return (
        page_environment("manyview.evaluate.report", filters)
        .get_template("report.html")
        .render(
            data=data,
            verdict=verdict(data),
            record_verdict=record_verdict(data),
            record_tables=record_tables(data),
            controls=CONTROLS,
            bars_style=Markup(BARS_STYLE),
            losses=_loss_charts(data),
            differences=_difference_charts(data),
            tables=tables,
            firsts=[
                (table.source, row) for table in tables[:4] for row in table.main.rows if row.kind == data.headline_kind
            ],
            metrics=METRICS,
            shown=_shown_groups(data.shown),
            neighbors=[recipe for recipe in data.all_recipes if recipe.neighbors],
        )
    )


def duration(seconds: float) -> str:
    """Hours and minutes, minutes and seconds, or seconds."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{seconds:.0f} s"


def _loss_charts(data: ReportData) -> list[tuple[Recipe, list[Series], Markup]]:
    """A chart a recipe, all with the same vertical axis and the same color for the same pair."""
    names = dict.fromkeys(name for recipe in data.recipes for name in pair_names(recipe.metrics))
    tones = {name: tone for tone, name in enumerate(names)}
    series = [(recipe, loss_series(recipe.metrics, tones)) for recipe in data.recipes]
    losses = [loss for _, lines in series for line in lines for _, loss in line.points]
    return [
        (
            recipe,
            lines,
            line_chart(
                lines,
                label=f"Loss of each pair of views during training, {recipe.title}",
                x_label="optimizer step",
                y_label="loss",
                y_range=(min(0.0, *losses), max(losses)),
            ),
        )
        for recipe, lines in series
        if lines
    ]


def _difference_charts(data: ReportData) -> list[tuple[str, Markup]]:
    """Text to image in one-image-a-concept galleries first, with the mean of the sources on top."""
    charts = []
    for direction, title in DIRECTIONS:
        overall = difference_rows(data.overall, direction)
        charts.append((title, [*overall, *difference_rows(data.comparison, direction)]))
        every = difference_rows(data.comparison, direction, every_image=True)
        charts.append((f"{title}, any image of the concept counts", every))
    return [
        (title, interval_chart(rows, label=f"{title}: {X_LABEL}", x_label=X_LABEL)) for title, rows in charts if rows
    ]


def _shown_groups(shown: tuple[ShownQuery, ...]) -> Mapping[tuple[str, bool], list[ShownQuery]]:
    """By language, found ones before missed ones."""
    groups: dict[tuple[str, bool], list[ShownQuery]] = {}
    for lang in dict.fromkeys(one.lang for one in shown):
        for found in (True, False):
            mine = [one for one in shown if one.lang == lang and one.found == found]
            if mine:
                groups[lang, found] = mine
    return groups
