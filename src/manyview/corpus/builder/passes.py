"""Passes: something counted over all shards of a plan before any of them is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from manyview.corpus.builder.shard_plan import Plan, ShardPlan
from manyview.corpus.engine import Engine

__all__ = ["Shards", "over_shards"]

Counted = TypeVar("Counted")
Shards = tuple[ShardPlan, ...]

_TASKS = 32
_AT_ONCE = 1_000_000


def over_shards(engine: Engine, plan: Plan, texts: int, count: Callable[[Shards], Counted]) -> Iterator[Counted]:
    """What a module's function counts in some shards, for all of them; `texts` says about how much there is to do."""
    if texts <= _AT_ONCE and engine.name == "local":
        engine = Engine(processes=1)  # sooner done than other processes are started
    step = max(1, -(-len(plan.shards) // _TASKS))
    return engine.map(count, [plan.shards[start : start + step] for start in range(0, len(plan.shards), step)])
