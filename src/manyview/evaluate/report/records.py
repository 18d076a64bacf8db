"""Records on the report: who finds them, in one sentence, one chart and one table a source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from manyview.evaluate.comparison import ALL_SOURCES, ComparisonRow
from manyview.evaluate.record_retrieval import FUSED, PICTURE, RECORD, TEXT, WORDS, RecordMeasures
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.report.bars import Bar, bar_chart
from manyview.evaluate.report.data import Recipe, ReportData

__all__ = ["RecordTable", "RecordVerdict", "record_tables", "record_verdict"]

CONTROLS = ((TEXT, "its texts alone"), (PICTURE, "its picture alone"), (WORDS, "BM25"), (FUSED, "BM25 + record"))


@dataclass(frozen=True)
class RecordVerdict:
    """Who finds more records by new words: `sentence` names all, `evidence` the intervals, `chart` shows them."""

    sentence: str
    evidence: tuple[str, ...]
    chart: Markup


@dataclass(frozen=True)
class RecordRow:
    """R@10 in percent for one kind of query: of each recipe with its interval, and of the candidate's `controls`."""

    kind: str
    queries: int
    gallery: int
    chance: float
    recipes: tuple[RecordMeasures | None, ...]
    controls: tuple[float | None, ...]
    best: Recipe | None


@dataclass(frozen=True)
class RecordTable:
    """The kinds of query of one source, those of new words first."""

    source: str
    rows: tuple[RecordRow, ...]


def record_verdict(data: ReportData) -> RecordVerdict | None:
    """Judged by the mean of the sources for `data.records_kind`; None where no recipe has such a task."""
    recipes = data.all_recipes
    sources = [source for source, kinds in data.candidate.records.items() if data.records_kind in kinds]
    if not sources:
        return None
    shares = {recipe.name: _mean_recall(recipe, sources, data.records_kind) for recipe in recipes}
    compared = [
        (recipe, row)
        for recipe in reversed(data.recipes[:-1])
        if (row := _headline_row(data.records_compared.get(recipe.name, ()), data.records_kind)) is not None
    ]
    others = ", ".join(f"{recipe.title} {shares[recipe.name]:.0f}%" for recipe, _ in compared)
    candidate = f"{data.candidate.title} finds {shares[data.candidate.name]:.0f}%"
    sentence = f"Asked with words that a record does not hold, {candidate} of the records" + (
        f", {others}." if others else "."
    )
    return RecordVerdict(sentence, tuple(_against(data.candidate, *pair) for pair in compared), _chart(data, sources))


def record_tables(data: ReportData) -> list[RecordTable]:
    """A table for each source that has a record task."""
    return [
        RecordTable(source, tuple(_row(data, source, kind) for kind in sorted(kinds, key=_new_words_first)))
        for source, kinds in data.candidate.records.items()
    ]


def _new_words_first(kind: str) -> bool:
    return not kind.endswith(NEW_WORDS)


def _row(data: ReportData, source: str, kind: str) -> RecordRow:
    measured = [recipe.records.get(source, {}).get(kind, {}).get(RECORD) for recipe in data.all_recipes]
    answers = data.candidate.records[source][kind]
    first = answers[RECORD]
    return RecordRow(
        kind=kind,
        queries=first["queries"],
        gallery=first["gallery"],
        chance=first["chance_r10"],
        recipes=tuple(measured),
        controls=tuple(answers[name]["r10"] if name in answers else None for name, _ in CONTROLS),
        best=_winner(data, source, kind),
    )


def _winner(data: ReportData, source: str, kind: str) -> Recipe | None:
    for row in data.records_compared.get(data.baseline.name, ()):
        if (row["source"], row["query_kind"], row["direction"], row["metric"]) == (source, kind, RECORD, "r10"):
            return data.candidate if row["low"] > 0 else data.baseline if row["high"] < 0 else None
    return None


def _mean_recall(recipe: Recipe, sources: Sequence[str], kind: str) -> float:
    return sum(recipe.records[source][kind][RECORD]["r10"] for source in sources) / len(sources)


def _headline_row(rows: Sequence[ComparisonRow], kind: str) -> ComparisonRow | None:
    """The mean of the sources, or the only source."""
    fitting = [row for row in rows if (row["query_kind"], row["direction"], row["metric"]) == (kind, RECORD, "r10")]
    return next((row for row in fitting if row["source"] == ALL_SOURCES), fitting[0] if fitting else None)


def _against(candidate: Recipe, other: Recipe, row: ComparisonRow) -> str:
    interval = f"95% interval {row['low']:+.1f} to {row['high']:+.1f} points".replace("-", "−")
    if row["low"] > 0 or row["high"] < 0:
        more, less = (candidate, other) if row["low"] > 0 else (other, candidate)
        return f"{more.title} finds more than {less.title}: {abs(row['difference']):.1f} points, {interval}."
    return f"{candidate.title} against {other.title}: a difference that may be chance, {interval}."


def _chart(data: ReportData, sources: Sequence[str]) -> Markup:
    bars = []
    for source in sources:
        words = data.candidate.records[source][data.records_kind].get(WORDS)
        if words is not None:
            bars.append(Bar(source, "BM25 (a search by words)", words["r10"]))
        for recipe in data.all_recipes:
            cell = recipe.records[source][data.records_kind][RECORD]
            bars.append(
                Bar(source, recipe.title, cell["r10"], cell["r10_low"], cell["r10_high"], recipe is data.candidate)
            )
    label = "Records found by words they do not hold, R@10 of each recipe"
    return bar_chart(bars, label=label, x_label="records found among the first ten, percent")
