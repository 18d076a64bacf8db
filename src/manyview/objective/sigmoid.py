"""SigLIP's sigmoid loss over pairs of views, tiled and distributed like InfoNCE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from manyview.distributed import ALONE, World
from manyview.errors import ManyviewError
from manyview.objective.definition import MultiViewLoss
from manyview.objective.info_nce import FalseNegatives
from manyview.objective.pair import Pair
from manyview.objective.roster import Roster
from manyview.objective.side import Gradients, default_tile, seat_all
from manyview.objective.tiles import add_sigmoid_gradients, sum_up_sigmoid
from manyview.precision import product_dtype, products_in

__all__ = ["multi_view_sigmoid_loss"]


def multi_view_sigmoid_loss(
    features: Mapping[str, Tensor],
    pairs: Sequence[Pair],
    scale: Tensor,
    bias: Tensor,
    *,
    present: Mapping[str, Tensor] | None = None,
    identities: Mapping[str, Tensor] | None = None,
    false_negatives: FalseNegatives = "ignore",
    weights: Mapping[str, Tensor] | None = None,
    world: World | None = None,
    tile: int | None = None,
) -> MultiViewLoss:
    """What `plain_multi_view_sigmoid_loss` defines, over all processes of `world`, in tiles.

    The conventions, the gradients' mean and the errors are those of `multi_view_loss`.
    """
    world = world or ALONE
    roster = Roster.call(
        features, pairs, present or {}, identities or {}, weights or {}, false_negatives, world, scale.device
    )
    rows = [features[view] for view in roster.views]
    loss, terms, masked = _TiledSigmoid.apply(roster, tile or default_tile(scale), scale, bias, *rows)
    return MultiViewLoss(loss, dict(zip(pairs, terms, strict=True)), dict(zip(pairs, masked, strict=True)))


class _TiledSigmoid(torch.autograd.Function):
    """No entry needs another, so one pass forward and one backward, and one sum over the world."""

    @staticmethod
    def forward(ctx: Any, roster: Roster, tile: int, scale: Tensor, bias: Tensor, *rows: Tensor) -> tuple[Tensor, ...]:
        ctx.product_dtype = product_dtype(rows[0])
        with torch.autocast(scale.device.type, enabled=False), products_in(ctx.product_dtype, scale.device):
            features = dict(zip(roster.views, (of.detach() for of in rows), strict=True))
            sides = seat_all(roster, features, tile)
            factor, offset = float(scale), float(bias)
            dtype = torch.promote_types(rows[0].dtype, torch.float32)
            found = []
            for side in sides:
                seat = side.seat
                query_weights = seat.row_weights.to(dtype), seat.column_weights.to(dtype)
                sums = sum_up_sigmoid(side.block, factor, offset, query_weights, dtype)
                if not side.block.has_spread_targets:
                    own = factor * side.own_cosines(dtype) + offset
                    for place, weights in enumerate(seat.own_weights):
                        sums[place] -= (weights.to(dtype) * own).sum()
                found.append(sums)
            terms, masked = scale.new_zeros(len(roster.pairs)), scale.new_zeros(len(roster.pairs))
            for edge, side, of in zip(roster.edges, sides, roster.world.sum(torch.stack(found)), strict=True):
                both, entries = side.seat.both, side.seat.all_rows * len(side.block.columns)
                excess = (of[2] - both) / max(1, entries - both) if side.block.labels else of[2]
                totals = side.seat.row_total, side.seat.column_total
                for number, lost, total in zip((edge.along, edge.back), of, totals, strict=False):
                    if number is not None:
                        terms[number], masked[number] = lost / total if total else 0.0, excess
            ctx.kept = (roster, features, sides, factor, offset, dtype)
            ctx.mark_non_differentiable(terms, masked)
            pair_weights = scale.new_tensor([pair.weight for pair in roster.pairs])
            return (pair_weights * terms).sum(), terms, masked

    @staticmethod
    def backward(ctx: Any, by_loss: Tensor, *_: Tensor) -> tuple[Tensor | None, ...]:
        if torch.is_grad_enabled():
            raise ManyviewError("multi_view_sigmoid_loss has no second derivative: its plain definition has")
        roster, features, sides, scale, bias, dtype = ctx.kept
        with torch.autocast(by_loss.device.type, enabled=False), products_in(ctx.product_dtype, by_loss.device):
            gradients = Gradients(roster, features)
            by_bias = by_loss.new_zeros(())
            for edge, side in zip(roster.edges, sides, strict=True):
                along, back = gradients.weights(edge, side)
                with gradients.of(edge, side) as buffers:
                    by_bias += add_sigmoid_gradients(
                        side.block, scale, bias, (along.to(dtype), back.to(dtype)), buffers
                    )
            by_scale, by_features = gradients.finished(by_loss, scale)
            by_bias = by_bias * roster.world.size * by_loss
        return None, None, by_scale, by_bias, *by_features
