"""Boilerplate: texts of too many images, counted over all shards of a plan."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from manyview.corpus.build.landing import landing
from manyview.corpus.build.plan import Plan
from manyview.corpus.build.staged import VIEWS
from manyview.corpus.build.tables import read_tables
from manyview.corpus.cleaning.boilerplate import Boilerplate, BoilerplateRules, BucketCounts, TextCounts
from manyview.corpus.engine import Engine

__all__ = ["boilerplate_of"]

_TASKS = 32
_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class _CountTask:
    """Some shards, and for the second pass the file of what the first has counted."""

    views: tuple[tuple[str, ...], ...]
    rules: BoilerplateRules
    texts: int
    first: Path | None = None


def boilerplate_of(engine: Engine, plan: Plan, rules: BoilerplateRules, texts: int) -> Boilerplate | None:
    """The texts that no shard should keep; None where there are too few texts for any to be boilerplate."""
    if texts <= rules.min_images:
        return None
    if texts <= _AT_ONCE and engine.name == "local":
        engine = Engine(processes=1)  # sooner done than other processes are started
    first = BucketCounts.of_few(rules, texts)
    for found in engine.map(_count_buckets, _tasks(plan, rules, texts)):
        first.merge(found)
    if int(first.buckets.max()) <= rules.min_images:
        return None
    with landing(plan.folder / "buckets.pickle") as handle:
        pickle.dump(first, handle)
    second = TextCounts(first)
    for counted in engine.map(_count_texts, _tasks(plan, rules, texts, plan.folder / "buckets.pickle")):
        second.merge(counted)
    return second.boilerplate()


def _tasks(plan: Plan, rules: BoilerplateRules, texts: int, first: Path | None = None) -> list[_CountTask]:
    step = max(1, -(-len(plan.shards) // _TASKS))
    groups = (plan.shards[start : start + step] for start in range(0, len(plan.shards), step))
    return [_CountTask(tuple(shard.views for shard in group), rules, texts, first) for group in groups]


def _count_buckets(task: _CountTask) -> BucketCounts:
    """A shard's list holds all texts of its images."""
    counts = BucketCounts.of_few(task.rules, task.texts)
    for files in task.views:
        counts.add(read_tables(files, VIEWS))
    return counts


def _count_texts(task: _CountTask) -> TextCounts:
    counts = TextCounts(
        pickle.loads(task.first.read_bytes()) if task.first else BucketCounts.of_few(task.rules, task.texts)
    )
    for files in task.views:
        counts.add(read_tables(files, VIEWS))
    return TextCounts(BucketCounts(task.rules, counts.keys[:0]), counts.keys, counts.counts)
