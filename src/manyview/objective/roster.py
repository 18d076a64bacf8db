"""Roster: who is there, who is who, and what is gathered, agreed by all processes before any similarity."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from manyview.distributed import World
from manyview.errors import ManyviewError, NonFiniteError, UsageError
from manyview.objective.edge import Edge, plan_edges
from manyview.objective.info_nce import FalseNegatives
from manyview.objective.pair import Pair

__all__ = ["Roster", "Seat"]


@dataclass(frozen=True)
class Roster:
    """The whole batch, without its features: `n` samples of each process, one after the other.

    `present` [size * n] for every view in a pair; `labels` [size * n], one number for each thing, only for
    views in which something occurs twice.
    """

    pairs: Sequence[Pair]
    edges: Sequence[Edge]
    columns: Sequence[str]
    present: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    false_negatives: FalseNegatives
    world: World
    n: int

    @classmethod
    def call(
        cls,
        features: Mapping[str, Tensor],
        pairs: Sequence[Pair],
        present: Mapping[str, Tensor],
        identities: Mapping[str, Tensor],
        false_negatives: FalseNegatives,
        world: World,
        device: torch.device,
    ) -> Roster:
        """Agree with all processes of `world`; raises on all of them what any has to complain of."""
        views = list(dict.fromkeys(view for pair in pairs for view in (pair.query, pair.key)))
        masked = sorted(view for view in present if view in views)
        known = sorted(view for view in identities if view in views) if false_negatives != "off" else []
        plan = f"{pairs} {masked} {known} {false_negatives}"
        _agree(_complaint(features, views, present, identities), features, views, plan, world, device)
        first = features[views[0]]
        mine = [present[view].long() for view in masked] + [identities[view] for view in known]
        told = [of.reshape(-1) for of in world.gather(torch.stack(mine, 1)).unbind(-1)] if mine else []
        everyone = torch.ones(len(first) * world.size, dtype=torch.bool, device=device)
        there = dict.fromkeys(views, everyone) | {v: of.bool() for v, of in zip(masked, told, strict=False)}
        labels = {view: _labels(of, there[view]) for view, of in zip(known, told[len(masked) :], strict=True)}
        edges, columns = plan_edges(pairs)
        repeated = {view: of for view, of in labels.items() if of is not None}
        return cls(pairs, edges, columns, there, repeated, false_negatives, world, len(first))

    @property
    def views(self) -> list[str]:
        """The views in a pair, in order of appearance."""
        return list(self.present)

    def mine(self, of_all: Tensor) -> Tensor:
        """This process's part of something the whole batch has."""
        return of_all[self.world.rank * self.n : (self.world.rank + 1) * self.n]

    def seat(self, edge: Edge) -> Seat:
        """Where an edge's entries of this process stand among those of all."""
        has_row, has_column = self.present[edge.row], self.present[edge.column]
        both = has_row & has_column
        rows, columns = _numbers(self.mine(has_row)), _numbers(has_column)
        own = torch.where(self.mine(both), self.mine(torch.cumsum(has_column, 0)) - 1, -1)
        return Seat(
            rows=rows,
            columns=columns,
            own=_taken(own, rows),
            asked_columns=_taken(both, columns),
            labels=tuple(
                (_taken(self.mine(self.labels[view]), rows), _taken(self.labels[view], columns))
                for view in dict.fromkeys((edge.row, edge.column))
                if view in self.labels
            ),
            both=int(both.sum()),
            all_rows=int(has_row.sum()),
        )


@dataclass(frozen=True)
class Seat:
    """An edge's present entries: m rows of this process, and M columns of all.

    `rows`, `columns` are their numbers, None where nobody is absent; `own` [m] is the column of each row's
    own sample, -1 where it has none; `asked_columns` [M] are the columns whose sample has a row; `both`
    counts the samples with both views, `all_rows` those with a row, everywhere. `labels`: see tiles.Block.
    """

    rows: Tensor | None
    columns: Tensor | None
    own: Tensor
    asked_columns: Tensor
    labels: tuple[tuple[Tensor, Tensor], ...]
    both: int
    all_rows: int

    @property
    def asked(self) -> Tensor:
        """[m] bool: rows whose sample has a column."""
        return self.own >= 0

    def of_rows(self, features: Tensor) -> Tensor:
        """[m, d] of this process's features of the row view."""
        return _taken(features, self.rows)

    def of_columns(self, features: Tensor) -> Tensor:
        """[M, d] of all features of the column view."""
        return _taken(features, self.columns)


def _complaint(
    features: Mapping[str, Tensor],
    views: Sequence[str],
    present: Mapping[str, Tensor],
    identities: Mapping[str, Tensor],
) -> ManyviewError | None:
    """What is wrong with the arguments of this process."""
    if not views:
        return UsageError("no pairs: an objective needs at least one")
    for view in views:
        if view not in features:
            return UsageError(f"a pair names the view {view!r}, which has no features: there are {sorted(features)}")
    first = features[views[0]]
    for view in views:
        if features[view].ndim != 2 or features[view].shape != first.shape or features[view].dtype != first.dtype:
            got = ", ".join(f"{v}: {list(features[v].shape)} {features[v].dtype}" for v in (views[0], view))
            return UsageError(f"features must be [n, d] of one shape and type for all views, got {got}")
    for name, of in (("present", present), ("identities", identities)):
        for view, numbers in of.items():
            if view in views and numbers.shape != first.shape[:1]:
                return UsageError(f"{name}[{view!r}] must have shape [{len(first)}], got {list(numbers.shape)}")
    for view in views:
        finite = features[view].detach().sum(1).isfinite()
        if not (finite | ~present[view].bool() if view in present else finite).all():
            return NonFiniteError(f"features of the view {view!r} are not finite")
    return None


def _agree(
    wrong: ManyviewError | None,
    features: Mapping[str, Tensor],
    views: Sequence[str],
    plan: str,
    world: World,
    device: torch.device,
) -> None:
    """Raise on every process what is wrong on any, or where they differ."""
    if world.size == 1:
        if wrong is not None:
            raise wrong
        return
    if wrong is None:
        first = features[views[0]]
        facts = [0, *first.shape, first.element_size(), zlib.crc32(plan.encode())]
    else:
        facts = [1, 0, 0, 0, 0]
    told = world.gather(torch.tensor(facts, device=device)).tolist()
    if any(fact[0] for fact in told):
        rank, first_said = next((rank, said) for rank, said in enumerate(world.tell(wrong)) if said is not None)
        raise type(first_said)(f"process {rank}: {first_said}")
    for rank, fact in enumerate(told):
        if fact[1:3] != told[0][1:3]:
            raise UsageError(
                f"process 0 has features of shape {told[0][1:3]} and process {rank} of {fact[1:3]}: "
                "pad with absent rows, so that all have as many"
            )
        if fact[3:] != told[0][3:]:
            raise UsageError(f"processes 0 and {rank} were given different pairs, masks, identities or feature types")


def _labels(identities: Tensor, present: Tensor) -> Tensor | None:
    """Small numbers for the things that are present, -1 for the absent; None where nothing occurs twice."""
    things, numbers = torch.unique(identities[present], return_inverse=True)
    if len(things) == len(numbers):
        return None
    labels = torch.full(present.shape, -1, dtype=torch.int32, device=present.device)
    labels[present] = numbers.to(torch.int32)
    return labels


def _numbers(present: Tensor) -> Tensor | None:
    return None if present.all() else present.nonzero()[:, 0]


def _taken(of: Tensor, numbers: Tensor | None) -> Tensor:
    return of if numbers is None else of[numbers]
