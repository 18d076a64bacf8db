"""What the report shows: everything the page needs and nothing it would have to look up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from manyview.data.contact_sheet import SheetRow
from manyview.errors import UsageError
from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.neighbors import NeighborResults
from manyview.evaluate.record_retrieval import RecordTree
from manyview.evaluate.record_showcase import ShownSearch
from manyview.evaluate.retrieval import ResultsTree
from manyview.evaluate.showcase import ShownQuery


@dataclass(frozen=True)
class CorpusSource:
    """One source of the corpus; `about` says in a few words what its images are."""

    name: str
    license: str
    train: int
    test: int
    about: str = ""


@dataclass(frozen=True)
class Compute:
    """What one training run of a recipe cost; images and texts are views encoded during training."""

    steps: int
    images: int
    texts: int
    seconds: float
    peak_memory_mb: float
    parameters: int = 0


@dataclass(frozen=True)
class Recipe:
    """One way of training.

    `name` is its key in results.json, `title` what the page calls it, `summary` a sentence on its
    objective. `metrics` are the rows of metrics.jsonl of one seed; `results` and `records` are averages over `seeds`.
    """

    name: str
    title: str
    summary: str
    results: ResultsTree
    compute: Compute
    metrics: tuple[Mapping[str, Any], ...] = ()
    neighbors: NeighborResults | None = None
    seeds: int = 1
    records: RecordTree = field(default_factory=dict)


@dataclass(frozen=True)
class Command:
    """A command line and what it does."""

    purpose: str
    line: str


@dataclass(frozen=True)
class ReportData:
    """The whole page.

    `recipes` end with the baseline and the candidate; a page about a single run has one. `further` are other models,
    in the tables and the first chart only.
    `comparison` and `overall` are the rows of `comparison(...)` and `mean_comparison(...)` of these two;
    the headline is taken from `overall` for the query kind `headline_kind`, text to image. `records_compared` holds the
    rows of both functions for records, by the name of the recipe that the candidate is compared with; the first
    headline is taken from them for the kind `records_kind`. `searches` are queries of nobody's and `shown_records`
    held-out ones, answered by the candidate with records, `shown` with pictures. `sheet` shows some training records as
    the candidate saw them, `remarks` what a reader of the first headline must know.
    `environment` goes to the foot of the page, as given.
    """

    title: str
    recipes: tuple[Recipe, ...]
    sources: tuple[CorpusSource, ...] = ()
    comparison: tuple[ComparisonRow, ...] = ()
    overall: tuple[ComparisonRow, ...] = ()
    shown: tuple[ShownQuery, ...] = ()
    sheet: tuple[SheetRow, ...] = ()
    commands: tuple[Command, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    headline_kind: str = "all"
    further: tuple[Recipe, ...] = ()
    records_compared: Mapping[str, tuple[ComparisonRow, ...]] = field(default_factory=dict)
    records_kind: str = "tags, new words"
    searches: tuple[ShownSearch, ...] = ()
    shown_records: tuple[ShownSearch, ...] = ()
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.recipes:
            raise UsageError("a report needs at least one recipe, got none")

    @property
    def all_recipes(self) -> tuple[Recipe, ...]:
        """Those that are compared, then the others."""
        return (*self.recipes, *self.further)

    @property
    def baseline(self) -> Recipe:
        return self.recipes[-2] if len(self.recipes) > 1 else self.recipes[0]

    @property
    def candidate(self) -> Recipe:
        return self.recipes[-1]
