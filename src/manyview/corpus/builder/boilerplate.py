"""Boilerplate: texts of too many images, counted over all shards of a plan."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path

from manyview.corpus.builder.landing import landing
from manyview.corpus.builder.passes import Shards, over_shards
from manyview.corpus.builder.shard_plan import Plan
from manyview.corpus.builder.staged import VIEWS
from manyview.corpus.builder.tables import read_tables
from manyview.corpus.cleaning.boilerplate import Boilerplate, BoilerplateRules, BucketCounts, TextCounts
from manyview.corpus.engine import Engine

__all__ = ["boilerplate_of"]


def boilerplate_of(engine: Engine, plan: Plan, rules: BoilerplateRules, texts: int) -> Boilerplate | None:
    """The texts that no shard should keep; None where there are too few texts for any to be boilerplate."""
    if texts <= rules.min_images:
        return None
    first = BucketCounts.of_few(rules, texts)
    for found in over_shards(engine, plan, texts, partial(_count_buckets, rules, texts)):
        first.merge(found)
    if int(first.buckets.max()) <= rules.min_images:
        return None
    buckets = plan.folder / "buckets.pickle"  # some megabytes, not to be sent with each task
    with landing(buckets) as handle:
        pickle.dump(first, handle)
    second = TextCounts(first)
    for counted in over_shards(engine, plan, texts, partial(_count_texts, rules, buckets)):
        second.merge(counted)
    return second.boilerplate()


def _count_buckets(rules: BoilerplateRules, texts: int, shards: Shards) -> BucketCounts:
    """A shard's list holds all texts of its images."""
    counts = BucketCounts.of_few(rules, texts)
    for shard in shards:
        counts.add(read_tables(shard.views, VIEWS))
    return counts


def _count_texts(rules: BoilerplateRules, buckets: Path, shards: Shards) -> TextCounts:
    counts = TextCounts(pickle.loads(buckets.read_bytes()))
    for shard in shards:
        counts.add(read_tables(shard.views, VIEWS))
    return TextCounts(BucketCounts(rules, counts.keys[:0]), counts.keys, counts.counts)
