"""Recall tables: the recipes side by side, a source a section, the surely better figure marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.galleries import EVERY_IMAGE
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.report.charts import IntervalRow
from manyview.evaluate.report.data import Recipe, ReportData
from manyview.evaluate.retrieval import Measures

METRICS = (("r10", "R@10"), ("r5", "R@5"), ("r1", "R@1"))
DIRECTIONS = (("t2i", "Text → image"), ("i2t", "Image → text"))


@dataclass(frozen=True)
class Recall:
    """One recall of one recipe in percent; `interval` is there for R@10; `best` only past doubt."""

    value: float
    best: bool
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Row:
    """All recalls of one query kind; `figures[metric][recipe]` and `medians[recipe]`."""

    kind: str
    queries: int
    chance: float
    figures: tuple[tuple[Recall | None, ...], ...]
    medians: tuple[float | None, ...]


@dataclass(frozen=True)
class Table:
    """One direction in one gallery."""

    direction: str
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class SourceTables:
    """What is shown of a source at once, and what unfolds."""

    source: str
    gallery: int
    main: Table
    more: tuple[Table, ...]


def source_tables(data: ReportData) -> list[SourceTables]:
    """For each source text to image with one image a concept first, then the other tables."""
    names = list(dict.fromkeys(source for recipe in data.all_recipes for source in recipe.results))
    found = []
    for source in (name for name in names if not name.endswith(EVERY_IMAGE)):
        main, back = (_table(data, source, direction, title) for direction, title in DIRECTIONS)
        every = source + EVERY_IMAGE
        more = [
            back,
            *(_table(data, every, *one, suffix=", every image") for one in DIRECTIONS if every in names),
        ]
        gallery = max(
            measures["t2i"]["gallery"]
            for recipe in data.all_recipes
            for measures in recipe.results.get(source, {}).values()
        )
        found.append(SourceTables(source, gallery, main, tuple(table for table in more if table.rows)))
    return found


def difference_rows(rows: Sequence[ComparisonRow], direction: str, *, every_image: bool = False) -> list[IntervalRow]:
    """R@10 differences of one direction, for the chart."""
    return [
        IntervalRow(row["source"], kind_label(row["query_kind"]), row["difference"], row["low"], row["high"])
        for row in rows
        if (row["direction"], row["metric"]) == (direction, "r10")
        and row["source"].endswith(EVERY_IMAGE) == every_image
    ]


def _table(data: ReportData, source: str, direction: str, title: str, suffix: str = "") -> Table:
    kinds = dict.fromkeys(kind for recipe in data.all_recipes for kind in recipe.results.get(source, {}))
    rows = [_row(data, kind, source=source, direction=direction) for kind in kinds]
    return Table(direction, title + suffix, tuple(row for row in rows if row is not None))


def _row(data: ReportData, kind: str, *, source: str, direction: str) -> Row | None:
    measures = [_measures(recipe, source, kind, direction) for recipe in data.all_recipes]
    first = next((one for one in measures if one is not None), None)
    if first is None:
        return None
    winners = {metric: _winner(data, (source, kind, direction, metric)) for metric, _ in METRICS}
    return Row(
        kind=kind,
        queries=first["queries"],
        chance=first["chance_r10"],
        figures=tuple(
            tuple(
                _figure(one, metric, recipe is winners[metric])
                for one, recipe in zip(measures, data.all_recipes, strict=True)
            )
            for metric, _ in METRICS
        ),
        medians=tuple(one and one["median_rank"] for one in measures),
    )


def kind_label(name: str) -> str:
    """How the page writes a query kind: "title + tags", "title (zh)", "tags (zh), new words"."""
    whole, new_words, _ = name.partition(NEW_WORDS)
    parts, _, lang = whole.partition(".")
    return parts.replace("+", " + ") + (f" ({lang})" if lang else "") + new_words


def _figure(measures: Measures | None, metric: str, best: bool) -> Recall | None:
    if measures is None:
        return None
    values = {"r1": measures["r1"], "r5": measures["r5"], "r10": measures["r10"]}
    interval = (measures["r10_low"], measures["r10_high"]) if metric == "r10" else None
    return Recall(values[metric], best, interval)


def _measures(recipe: Recipe, source: str, kind: str, direction: str) -> Measures | None:
    return recipe.results.get(source, {}).get(kind, {}).get(direction)


def _winner(data: ReportData, cell: tuple[str, str, str, str]) -> Recipe | None:
    for row in data.comparison:
        if (row["source"], row["query_kind"], row["direction"], row["metric"]) == cell:
            return data.candidate if row["low"] > 0 else data.baseline if row["high"] < 0 else None
    return None
