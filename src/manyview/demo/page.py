"""The demo's report: what was judged, arranged for the page."""

import platform
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from manyview import __version__
from manyview.corpus import Corpus
from manyview.data.contact_sheet import SheetRow, sheet_rows
from manyview.demo.judged import MAX_TAG_SHARE, Judged
from manyview.evaluate import comparison, mean_comparison, showcase
from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.record_showcase import ShownSearch, record_showcase
from manyview.evaluate.report import Command, CorpusSource, Recipe, ReportData
from manyview.train import RECIPES, TrainConfig, batch_source

__all__ = ["records_compared", "report_data"]

_TITLES = {
    "clip": "CLIP on titles",
    "caption-sampling": "Caption sampling",
    "many-view": "Many views",
    "adapt": "Many views on frozen towers",
}
_SHEET_ROWS = 8
_REMARKS = (
    "The three train on the same pictures in as many steps; Many views reads a glossary besides, word entries without "
    "a picture, which a trainer of image-text pairs cannot use.",
    "docs/evidence.md: all recipes over three seeds, with the glossary and without, and on sources never trained on.",
)
_ABOUT = {
    "emoji": "Drawings of several vendors; names and keywords in 13 languages",
    "openclipart": "Drawings by the public; title, tags, description, folder",
}


def report_data(
    judged: Sequence[Judged], further: Sequence[Judged], corpus: Corpus, searches: Sequence[ShownSearch], out: Path
) -> ReportData:
    """The page of a demo: the baselines first, the candidate last, then models that are not compared."""
    *_, baseline, candidate = judged
    return ReportData(
        title="What many views are for: records, found by words they do not hold",
        recipes=tuple(_recipe(one) for one in judged),
        further=tuple(_recipe(one) for one in further),
        sources=tuple(_sources(corpus)),
        comparison=tuple(comparison([baseline.ranks], [candidate.ranks], ks=(1, 5, 10))),
        overall=tuple(mean_comparison([baseline.ranks], [candidate.ranks])),
        records_compared={one.name: records_compared(one, candidate) for one in judged[:-1]},
        searches=tuple(searches),
        shown_records=tuple(
            record_showcase(candidate.encoded_records, corpus, other=baseline.encoded_records, successes=3)
        ),
        shown=tuple(showcase(candidate.encoded, corpus, other=baseline.encoded, successes=4, failures=2)),
        sheet=tuple(_sheet(candidate.config)),
        remarks=_REMARKS,
        commands=tuple(_commands(candidate, out)),
        environment={
            "manyview": __version__,
            "torch": torch.__version__,
            "Python": platform.python_version(),
            "threads": str(torch.get_num_threads()),
            "seed": str(candidate.config.seed),
            "tags counted": f"those of at most {MAX_TAG_SHARE:.0%} of the training records",
        },
        headline_kind="title+tags",
    )


def records_compared(baseline: Judged, candidate: Judged) -> tuple[ComparisonRow, ...]:
    """Differences in the recall of records, of the mean of the sources and of each."""
    sides = [baseline.record_ranks], [candidate.record_ranks]
    return (*mean_comparison(*sides), *comparison(*sides))


def _recipe(one: Judged) -> Recipe:
    summary = " ".join((RECIPES[one.name].__doc__ or "").split())
    return Recipe(
        name=one.name,
        title=_TITLES.get(one.name, one.name),
        summary=summary,
        results=one.results,
        records=one.records,
        compute=one.compute,
        metrics=one.metrics,
        neighbors=one.neighbors,
    )


def _sources(corpus: Corpus) -> Iterator[CorpusSource]:
    counts: dict[str, Counter[str]] = {}
    licenses: dict[str, set[str]] = {}
    for split in corpus.splits:
        for block in corpus.blocks(split):
            rows = corpus.read(block, ["source", "license"]).to_pylist()
            for row in rows:
                counts.setdefault(row["source"], Counter())[split] += 1
                licenses.setdefault(row["source"], set()).add(row["license"])
    for name, of in sorted(counts.items()):
        license_names = ", ".join(sorted(licenses[name]))
        yield CorpusSource(name, license_names, of["train"], of["test"], _ABOUT.get(name, ""))


def _sheet(config: TrainConfig) -> list[SheetRow]:
    source = batch_source(config, [Corpus.open(path) for path in config.corpora], lambda texts, max_tokens: {})
    return list(sheet_rows(source[0]))[:_SHEET_ROWS]


def _commands(candidate: Judged, out: Path) -> Iterator[Command]:
    run = out / candidate.name
    yield Command(
        "Search with words, in English or Chinese", f'manyview search {run} "something to drink" --per-group 1'
    )
    yield Command("Search with a picture", f"manyview search {run} --image FILE")
    yield Command(
        "Make this page again from nothing",
        f"manyview demo --out {out} --seed {candidate.config.seed} --overwrite",
    )
    yield Command(
        f"Train {candidate.name} alone",
        f"manyview train {candidate.name} --corpus starter --out runs/{candidate.name}",
    )
    yield Command(
        "Judge a model on the held-out concepts, pictures and records", f"manyview evaluate {run} --on starter"
    )
    yield Command("See what a recipe sees", f"manyview views starter --recipe {candidate.name}")
