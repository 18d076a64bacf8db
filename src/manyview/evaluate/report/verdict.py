"""Who won, in one sentence, whoever it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.galleries import EVERY_IMAGE
from manyview.evaluate.report.charts import signed
from manyview.evaluate.report.data import ReportData


@dataclass(frozen=True)
class Tally:
    """In how many cells the interval of the difference lies above zero, below it, or holds it."""

    better: int
    worse: int
    even: int

    @property
    def cells(self) -> int:
        return self.better + self.worse + self.even


@dataclass(frozen=True)
class Verdict:
    """`winner` is "candidate", "baseline" or "neither"; `row` is the comparison it rests on."""

    winner: str
    sentence: str
    evidence: str
    row: ComparisonRow
    tally: Tally


def verdict(data: ReportData) -> Verdict | None:
    """Judged by the mean of the sources for the headline's query kind; None where nothing is compared.

    Without an `overall` row the first comparison, text to image, of that kind decides.
    """
    row = headline_row(data)
    if row is None:
        return None
    recalls = [(row["candidate"], data.candidate.title), (row["baseline"], data.baseline.title)]
    (most, ahead), (less, behind) = sorted(recalls, key=lambda recall: recall[0], reverse=True)
    found = f"the right picture among the first ten for {most:.1f}% of held-out queries, {behind} for {less:.1f}%"
    decided = row["low"] > 0 or row["high"] < 0
    if decided:
        sentence = f"{ahead} wins: it puts {found}."
    else:
        sentence = f"No winner: {ahead} puts {found}, a difference that may be chance."
    interval = f"{signed(row['low'])} to {signed(row['high'])}"
    return Verdict(
        winner=("candidate" if row["low"] > 0 else "baseline") if decided else "neither",
        sentence=sentence,
        evidence=f"{signed(row['difference'])} points, 95% interval {interval}",
        row=row,
        tally=tally(data.comparison),
    )


def headline_row(data: ReportData) -> ComparisonRow | None:
    rows = [
        row
        for row in (*data.overall, *data.comparison)
        if (row["query_kind"], row["direction"], row["metric"]) == (data.headline_kind, "t2i", "r10")
    ]
    return rows[0] if rows else None


def tally(rows: Sequence[ComparisonRow]) -> Tally:
    """Of the text-to-image R@10 differences in the one-image-a-concept galleries."""
    counted = [
        row
        for row in rows
        if (row["direction"], row["metric"]) == ("t2i", "r10") and not row["source"].endswith(EVERY_IMAGE)
    ]
    better = sum(row["low"] > 0 for row in counted)
    worse = sum(row["high"] < 0 for row in counted)
    return Tally(better, worse, len(counted) - better - worse)
