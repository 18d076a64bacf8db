"""A page's worth of made-up results."""

import io
from dataclasses import replace

import pytest
from PIL import Image

from manyview.data.contact_sheet import SheetRow
from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.neighbors import NeighborResults, TagScores, TitleNeighbors
from manyview.evaluate.report import Command, Compute, CorpusSource, Recipe, ReportData
from manyview.evaluate.retrieval import Measures, ResultsTree
from manyview.evaluate.showcase import Hit, ShownQuery


def image(kind: str = "PNG") -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(packed, kind)
    return packed.getvalue()


def measures(recall: float) -> Measures:
    return Measures(
        r1=recall / 3,
        r5=recall / 2,
        r10=recall,
        median_rank=9.0,
        queries=120,
        gallery=100,
        chance_r10=10.0,
        r10_low=recall - 4,
        r10_high=recall + 4,
    )


def tree(recall: float) -> ResultsTree:
    both = {"t2i": measures(recall), "i2t": measures(recall + 1)}
    return {"emoji": {"all": both, "title.zh": both}, "emoji, every image": {"all": both}}


def difference(source: str, kind: str, low: float, value: float, high: float) -> ComparisonRow:
    return ComparisonRow(
        source=source,
        query_kind=kind,
        direction="t2i",
        metric="r10",
        baseline=40.0,
        candidate=40.0 + value,
        difference=value,
        low=low,
        high=high,
        relative=2.5 * value,
        relative_low=2.5 * low,
        relative_high=2.5 * high,
    )


def neighbors(score: float) -> NeighborResults:
    example = TitleNeighbors("dinner", (("plate", True), ("cup", False)), ("plate",), 0)
    return NeighborResults(TagScores(score, score), TagScores(0.01, 0.01), TagScores(0.1, 0.1), 50, 900, (example,))


def shown(text: str, rank: int, lang: str = "en") -> ShownQuery:
    hits = tuple(Hit(f"hit {place}", image("WEBP"), place == rank) for place in range(4))
    return ShownQuery(text, "title", lang, "emoji", rank, 100, hits, Hit(text, image(), True), other_rank=3)


def recipe(name: str, title: str, recall: float) -> Recipe:
    rows = tuple({"step": step, "terms": {"image->title": 5.0 / step}} for step in range(1, 40))
    return Recipe(
        name=name,
        title=title,
        summary=f"What {title} does.",
        results=tree(recall),
        compute=Compute(400, 100_000, 200_000, 161.4, 2048.0, 2_400_000),
        metrics=rows,
        neighbors=neighbors(recall / 100),
        seeds=2,
    )


@pytest.fixture
def page() -> ReportData:
    return ReportData(
        title="Many views on trial",
        recipes=(recipe("one", "One text", 40.0), recipe("many", "Many views", 50.0)),
        sources=(CorpusSource("emoji", "Apache-2.0", 1_234, 100, "color drawings"),),
        comparison=(
            difference("emoji", "all", 5.0, 10.0, 15.0),
            difference("emoji", "title.zh", -2.0, 1.0, 4.0),
            difference("emoji, every image", "all", -9.0, -5.0, -1.0),
        ),
        overall=(difference("mean of sources", "all", 4.0, 9.0, 14.0),),
        shown=(shown("star", 0), shown("ticket", 30), shown("城市", 0, "zh")),
        sheet=(SheetRow("emoji/1", {"image": image("WEBP")}, {"title": "plate", "tags": None}),),
        commands=(Command("Everything again", "make demo"),),
        environment={"torch": "2.x"},
    )


@pytest.fixture
def swapped(page: ReportData) -> ReportData:
    """The same with the baseline ahead."""
    return replace(page, overall=(difference("mean of sources", "all", -14.0, -9.0, -4.0),))
