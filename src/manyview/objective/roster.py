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
    views in which something occurs twice; `weights` [size * n] float64 of the views that ask, where given, 0 for
    absent rows.
    """

    pairs: Sequence[Pair]
    edges: Sequence[Edge]
    columns: Sequence[str]
    present: Mapping[str, Tensor]
    labels: Mapping[str, Tensor]
    weights: Mapping[str, Tensor]
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
        weights: Mapping[str, Tensor],
        false_negatives: FalseNegatives,
        world: World,
        device: torch.device,
    ) -> Roster:
        """Agree with all processes of `world`; raises on all of them what any has to complain of."""
        views = list(dict.fromkeys(view for pair in pairs for view in (pair.query, pair.key)))
        masked = sorted(view for view in present if view in views)
        known = sorted(view for view in identities if view in views) if false_negatives != "off" else []
        weighted = sorted(view for view in weights if view in {pair.query for pair in pairs})
        weights = {view: weights[view] for view in weighted}
        plan = f"{pairs} {masked} {known} {weighted} {false_negatives}"
        _agree(_complaint(features, views, present, identities, weights), features, views, plan, world, device)
        first = features[views[0]]
        mine = [present[view].long() for view in masked] + [identities[view] for view in known]
        mine += [weights[view].detach().double().view(torch.int64) for view in weighted]
        told = [of.reshape(-1) for of in world.gather(torch.stack(mine, 1)).unbind(-1)] if mine else []
        everyone = torch.ones(len(first) * world.size, dtype=torch.bool, device=device)
        there = dict.fromkeys(views, everyone) | {v: of.bool() for v, of in zip(masked, told, strict=False)}
        labels = {view: _labels(of, there[view]) for view, of in zip(known, told[len(masked) :], strict=False)}
        weights = {
            view: torch.where(there[view], of.view(torch.float64), 0.0)
            for view, of in zip(weighted, told[len(masked) + len(known) :], strict=True)
        }
        _check_some_weight(weights, there)
        edges, columns = plan_edges(pairs)
        repeated = {view: of for view, of in labels.items() if of is not None}
        return cls(pairs, edges, columns, there, repeated, weights, false_negatives, world, len(first))

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
        row_weights, row_total = self._query_weights(edge.row, both)
        column_weights, column_total = self._query_weights(edge.column, both)
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
            row_weights=_taken(self.mine(row_weights), rows),
            column_weights=_taken(column_weights, columns),
            row_total=row_total,
            column_total=column_total,
            both=int(both.sum()),
            all_rows=int(has_row.sum()),
        )

    def _query_weights(self, view: str, both: Tensor) -> tuple[Tensor, float]:
        """The weights [size * n] of the rows of a query view, and their sum over `both`, the samples with both views.

        1 each without weights; else the largest of `both` is 1, so that float32 can sum them whatever their unit is.
        """
        if view not in self.weights:
            return torch.ones(len(both), dtype=torch.float64, device=both.device), float(both.sum())
        weights = self.weights[view]
        largest = torch.where(both, weights, 0.0).max()
        weights = torch.where(largest > 0, weights / largest, 0.0)
        return weights, float(weights[both].sum())


@dataclass(frozen=True)
class Seat:
    """An edge's present entries: m rows of this process, and M columns of all.

    `rows`, `columns` are their numbers, None where nobody is absent; `own` [m] is the column of each row's
    own sample, -1 where it has none; `asked_columns` [M] are the columns whose sample has a row; `both`
    counts the samples with both views, `all_rows` those with a row, everywhere. `labels`: see tiles.Block.
    `row_weights` [m], `column_weights` [M] float64 are what each counts when its view asks, `row_total` and
    `column_total` their sums over the samples with both views, everywhere.
    """

    rows: Tensor | None
    columns: Tensor | None
    own: Tensor
    asked_columns: Tensor
    labels: tuple[tuple[Tensor, Tensor], ...]
    row_weights: Tensor
    column_weights: Tensor
    row_total: float
    column_total: float
    both: int
    all_rows: int

    @property
    def asked(self) -> Tensor:
        """[m] bool: rows whose sample has a column."""
        return self.own >= 0

    @property
    def own_weights(self) -> tuple[Tensor, Tensor]:
        """Of each asked row, and of the column of its own sample."""
        return self.row_weights[self.asked], self.column_weights[self.own[self.asked]]

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
    weights: Mapping[str, Tensor],
) -> ManyviewError | None:
    """What is wrong with the arguments of this process."""
    if not views:
        return UsageError("no pairs: an objective needs at least one")
    if missing := [view for view in views if view not in features]:
        return UsageError(f"a pair names the view {missing[0]!r}, which has no features: there are {sorted(features)}")
    return _tensor_complaint(features, views, present, identities, weights)


def _tensor_complaint(
    features: Mapping[str, Tensor],
    views: Sequence[str],
    present: Mapping[str, Tensor],
    identities: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
) -> ManyviewError | None:
    """What is wrong with the shapes and numbers of this process."""
    first = features[views[0]]
    for view in views:
        if features[view].ndim != 2 or features[view].shape != first.shape or features[view].dtype != first.dtype:
            got = ", ".join(f"{v}: {list(features[v].shape)} {features[v].dtype}" for v in (views[0], view))
            return UsageError(f"features must be [n, d] of one shape and type for all views, got {got}")
    for name, of in (("present", present), ("identities", identities), ("weights", weights)):
        for view, numbers in of.items():
            if view in views and numbers.shape != first.shape[:1]:
                return UsageError(f"{name}[{view!r}] must have shape [{len(first)}], got {list(numbers.shape)}")
    for view in views:
        finite = features[view].detach().sum(1).isfinite()
        if not (finite | ~present[view].bool() if view in present else finite).all():
            return NonFiniteError(f"features of the view {view!r} are not finite")
    for view, numbers in weights.items():
        present_weights = numbers[present[view].bool()] if view in present else numbers
        wrong = present_weights[~(present_weights.isfinite() & (present_weights >= 0))]
        if len(wrong):
            return UsageError(f"weights of the view {view!r} must be finite and 0 or more, got {wrong[0].item():g}")
    return None


def _check_some_weight(weights: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> None:
    """Raises UsageError, on every process alike, for a view that has rows but no row that counts."""
    for view, of_all in weights.items():
        if present[view].any() and not of_all.any():
            raise UsageError(f"weights of the view {view!r} are all 0: at least one row must count")


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
            raise UsageError(
                f"processes 0 and {rank} were given different pairs, masks, identities, weights or feature types"
            )


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
