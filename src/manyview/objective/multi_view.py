"""The objective as it is trained with: tiled and distributed, equal to its definition in `definition`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from manyview.distributed import ALONE, World
from manyview.errors import ManyviewError
from manyview.objective.definition import MultiViewLoss
from manyview.objective.edge import Edge
from manyview.objective.info_nce import FalseNegatives
from manyview.objective.pair import Pair
from manyview.objective.roster import Roster
from manyview.objective.side import Gradients, Side, default_tile, seat_all
from manyview.objective.tiles import Sums, add_gradients, shift_of, sum_up
from manyview.precision import product_dtype, products_in

__all__ = ["multi_view_loss"]


def multi_view_loss(
    features: Mapping[str, Tensor],
    pairs: Sequence[Pair],
    scale: Tensor,
    *,
    present: Mapping[str, Tensor] | None = None,
    identities: Mapping[str, Tensor] | None = None,
    false_negatives: FalseNegatives = "ignore",
    weights: Mapping[str, Tensor] | None = None,
    world: World | None = None,
    tile: int | None = None,
) -> MultiViewLoss:
    """Σ weight · InfoNCE(query → key) over `pairs`, the batch being the rows of all processes of `world`.

    Takes and means what `plain_multi_view_loss` does, except that `features`, `present`, `identities` and `weights`
    are the [n, ...] rows of this process, as many on each; a process with fewer pads with absent rows. No
    matrix larger than `tile` x `tile` is ever in memory: similarities are computed once forward and once
    backward for a pair and its reverse (docs/objective.md).

    The loss and its parts are those of the whole batch on every process. Gradients are such that their
    *mean* over the processes, which DistributedDataParallel and FSDP take, is the gradient of the whole
    batch, for features and scale alike. Sums are taken in float32, or in float64 where float32 would
    underflow. Features that are bfloat16, and all under bfloat16 autocast, are multiplied as such where the
    device has matrix units (`manyview.precision.products_in`). All processes of `world` must call this, and
    `backward` too.

    Raises, on every process alike: UsageError for a pair over a view without features, for features, masks,
    identities or weights of unequal shapes, and for weights of present rows that are negative, not finite, or 0 for
    every present row of a view; ManyviewError for features that are not finite or not L2-normalised.
    """
    world = world or ALONE
    roster = Roster.call(
        features, pairs, present or {}, identities or {}, weights or {}, false_negatives, world, scale.device
    )
    rows = [features[view] for view in roster.views]
    loss, terms, masked = _Tiled.apply(roster, tile or default_tile(scale), scale, *rows)
    return MultiViewLoss(loss, dict(zip(pairs, terms, strict=True)), dict(zip(pairs, masked, strict=True)))


class _Tiled(torch.autograd.Function):
    """Forward: sums over each row and column, added up over the world. Backward: every tile once more."""

    @staticmethod
    def forward(ctx: Any, roster: Roster, tile: int, scale: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
        ctx.product_dtype = product_dtype(rows[0])
        with torch.autocast(scale.device.type, enabled=False), products_in(ctx.product_dtype, scale.device):
            features = dict(zip(roster.views, (of.detach() for of in rows), strict=True))
            sides = seat_all(roster, features, tile)
            factor = float(scale)
            dtype = torch.promote_types(rows[0].dtype, torch.float32)
            statistics = _statistics(sides, factor, dtype, roster.world) or _statistics(
                sides, factor, torch.float64, roster.world
            )
            if statistics is None:
                raise ManyviewError(
                    f"similarities times the scale {factor:g} are out of float64's range: "
                    "features must be L2-normalised and the scale at most 300"
                )
            terms, masked = scale.new_zeros(len(roster.pairs)), scale.new_zeros(len(roster.pairs))
            for edge, of in zip(roster.edges, statistics, strict=True):
                for number, term, share in (
                    (edge.along, of.along, of.masked_along),
                    (edge.back, of.back, of.masked_back),
                ):
                    if number is not None:
                        terms[number], masked[number] = term, share
            ctx.kept = (roster, features, sides, [of.sums for of in statistics], factor)
            ctx.mark_non_differentiable(terms, masked)
            weights = scale.new_tensor([pair.weight for pair in roster.pairs])
            return (weights * terms).sum(), terms, masked

    @staticmethod
    def backward(ctx: Any, by_loss: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise ManyviewError("multi_view_loss has no second derivative: plain_multi_view_loss has")
        roster, features, sides, sums, scale = ctx.kept
        with torch.autocast(by_loss.device.type, enabled=False), products_in(ctx.product_dtype, by_loss.device):
            gradients = Gradients(roster, features)
            for edge, side, of in zip(roster.edges, sides, sums, strict=True):
                _add_edge(edge, side, of, scale, gradients)
            by_scale, by_features = gradients.finished(by_loss, scale)
        return None, None, by_scale, *by_features


@dataclass(frozen=True)
class _Statistics:
    """An edge's sums, complete by row and by column, and what both directions lose and leave out."""

    sums: Sums
    along: Tensor
    back: Tensor
    masked_along: Tensor
    masked_back: Tensor


def _statistics(sides: Sequence[Side], scale: float, dtype: torch.dtype, world: World) -> list[_Statistics] | None:
    """Sums of all edges with one sum over the world; None where `dtype` is too narrow for them."""
    smallest = torch.finfo(dtype).tiny / torch.finfo(dtype).eps  # smaller sums have lost digits to underflow
    by_edge, parts = list[Sums](), list[Tensor]()
    for side in sides:
        sums = sum_up(side.block, scale, dtype)
        asked = side.seat.asked
        row = sums.row[asked]
        target = _row_targets(side, sums, scale)
        narrow = (~(row > smallest) | row.isinf()).sum()
        counted = (sums.row_count[asked] - 1).sum() if len(sums.row_count) else row.new_zeros(())
        weight, back_weight = (of.to(dtype) for of in side.seat.own_weights)
        logs, targets, back_targets = (weight * row.log()).sum(), (weight * target).sum(), (back_weight * target).sum()
        numbers = torch.stack([logs, targets, back_targets, counted, narrow.to(dtype)])
        by_edge.append(sums)
        parts += [sums.column, sums.column_same, sums.column_count, numbers]
    flat = world.sum(torch.cat(parts))
    complete = torch.split(flat, [len(part) for part in parts])
    found = []
    for place, (side, sums) in enumerate(zip(sides, by_edge, strict=True)):
        column, column_same, column_count, numbers = complete[4 * place : 4 * place + 4]
        logs, targets, back_targets, counted, narrow = numbers
        seat, asked_columns, both = side.seat, side.seat.asked_columns, side.seat.both
        of_asked = column[asked_columns]
        if narrow or not (of_asked > smallest).all() or of_asked.isinf().any():
            return None
        weight = seat.column_weights[asked_columns].to(dtype)
        if side.block.has_spread_targets:
            back_targets = (weight * (column_same / column_count)[asked_columns]).sum()
        column_counted = (column_count[asked_columns] - 1).sum() if len(column_count) else counted
        found.append(
            _Statistics(
                sums._replace(column=column, column_same=column_same, column_count=column_count),
                along=_mean_loss(logs, targets, seat.row_total, scale),
                back=_mean_loss((weight * of_asked.log()).sum(), back_targets, seat.column_total, scale),
                masked_along=counted / max(1, both * (len(column) - 1)),
                masked_back=column_counted / max(1, both * (side.seat.all_rows - 1)),
            )
        )
    return found


def _mean_loss(logs: Tensor, targets: Tensor, total: float, scale: float) -> Tensor:
    """From weighted sums of the logarithms and of the targets, and the sum of the weights."""
    return (logs + total * shift_of(scale) - targets) * (1 / total if total else 0.0)


def _row_targets(side: Side, sums: Sums, scale: float) -> Tensor:
    """The logit of each asked row's target, the mean of them where there are several."""
    if side.block.has_spread_targets:
        return (sums.row_same / sums.row_count)[side.seat.asked]
    return scale * side.own_cosines(sums.row.dtype)


def _add_edge(edge: Edge, side: Side, sums: Sums, scale: float, gradients: Gradients) -> None:
    """One edge's part of the gradients."""
    along, back = gradients.weights(edge, side)
    seat = side.seat
    weights = _over(along, sums.row, seat.asked), _over(back, sums.column, seat.asked_columns)
    spread = None
    if side.block.has_spread_targets:
        spread = _over(along, sums.row_count, seat.asked), _over(back, sums.column_count, seat.asked_columns)
    with gradients.of(edge, side) as buffers:
        add_gradients(side.block, scale, weights, spread, (along, back), buffers)


def _over(weights: Tensor, numbers: Tensor, asked: Tensor) -> Tensor:
    """weights / numbers where asked, else 0."""
    return torch.where(asked, numbers.reciprocal() * weights.to(numbers.dtype), torch.zeros_like(numbers))
