"""Score filter: the texts that fit their image well enough; best shares are found over all shards of a plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import pyarrow as pa

from manyview.corpus.builder.passes import Shards, over_shards
from manyview.corpus.builder.scores import scorer_of
from manyview.corpus.builder.shard_plan import Plan
from manyview.corpus.builder.staged import VIEWS
from manyview.corpus.builder.tables import read_tables
from manyview.corpus.cleaning.boilerplate import Boilerplate
from manyview.corpus.cleaning.score import ScoreRules, ShareBounds, drop_by_score
from manyview.corpus.cleaning.text_keys import said_keys
from manyview.corpus.engine import Engine
from manyview.errors import UsageError

__all__ = ["ScoreFilter", "score_filter_of"]


@dataclass(frozen=True)
class ScoreFilter:
    """The rules, and the lowest score of the best share of each kind that has one."""

    rules: ScoreRules
    bounds: dict[str, float] = field(default_factory=dict)

    def drop(self, views: pa.Table, scores: Sequence[str]) -> tuple[pa.Table, Counter[str]]:
        """The views that score well enough by staged tables of scores."""
        return drop_by_score(views, scorer_of(scores)(views), self.rules, self.bounds)


def score_filter_of(
    engine: Engine, plan: Plan, rules: ScoreRules, boilerplate: Boilerplate | None, texts: int
) -> ScoreFilter:
    """The filter of a plan.

    Shares are of the texts with a score that boilerplate has left, each once an image; of a build that appends, of
    the texts it adds. Raises UsageError for a kind of which no text has a score: the rule would do nothing.
    """
    bounds = ShareBounds({**dict.fromkeys(rules.at_least, 1.0), **rules.best_share})
    for found in over_shards(engine, plan, texts, partial(_counted, bounds, boilerplate)):
        bounds.merge(found)
    bounds.narrow()
    upper = bounds.upper or {}
    for kind in bounds.shares:
        if kind not in upper:
            raise UsageError(f"clean.scores judges {kind!r}, but no text of that kind in the build has a score")
    if not rules.best_share:
        return ScoreFilter(rules)
    bounds = ShareBounds(rules.best_share, upper={kind: upper[kind] for kind in rules.best_share})
    for found in over_shards(engine, plan, texts, partial(_counted, bounds, boilerplate)):
        bounds.merge(found)
    return ScoreFilter(rules, bounds.bounds())


def _counted(empty: ShareBounds, boilerplate: Boilerplate | None, shards: Shards) -> ShareBounds:
    """The scores of some shards, counted in the pass that `empty` is made for."""
    counts = ShareBounds(empty.shares, upper=empty.upper)
    for shard in shards:
        views = read_tables(shard.views, VIEWS)
        if boilerplate is not None:
            views, _ = boilerplate.drop(views)
        views = _each_once(views)
        counts.add(views, scorer_of(shard.scores)(views))
    return counts


def _each_once(views: pa.Table) -> pa.Table:
    """Two sources, or two images of the same bytes, may say one thing of one image."""
    _, first = np.unique(said_keys(views, "kind", "id"), return_index=True)
    return views.take(pa.array(np.sort(first)))
