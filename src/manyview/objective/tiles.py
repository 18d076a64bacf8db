"""Tiles: one edge's similarities, a block at a time, each computed once forward and once backward."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from manyview.objective.info_nce import FalseNegatives

__all__ = ["Block", "Sums", "add_gradients", "add_sigmoid_gradients", "shift_of", "sum_up", "sum_up_sigmoid"]

_HEADROOM = 70.0  # exp(70) times any batch is still a float32, and exp(-87) is not yet zero


@dataclass(frozen=True)
class Block:
    """The rows of one process against all columns of an edge: [m, d] and [M, d] features of present entries.

    `own` [m] is the column of each row's own sample, -1 where it has none. `labels` are, for rows and for
    columns, one number an entry of each view of the edge, equal where the two are the same thing there;
    empty when nothing is the same as anything else.
    """

    rows: Tensor
    columns: Tensor
    own: Tensor
    labels: tuple[tuple[Tensor, Tensor], ...]
    false_negatives: FalseNegatives
    tile: int

    @property
    def has_spread_targets(self) -> bool:
        """Whether a row may have several targets."""
        return bool(self.labels) and self.false_negatives == "positive"


class Sums(NamedTuple):
    """Over each row's columns [m], and over each column's rows [M] of this process.

    The sum of exp(logit - shift); the sum of the logits of the same thing, empty unless these are targets;
    and the number of the same thing, empty where nothing is the same.
    """

    row: Tensor
    row_same: Tensor
    row_count: Tensor
    column: Tensor
    column_same: Tensor
    column_count: Tensor


class _Tile(NamedTuple):
    """Rows `i` and columns `j` of a block: cosines times the scale, and where both are the same thing.

    `own` are the row and the column numbers, within the tile, of the entries of each row with its own column.
    """

    i: slice
    j: slice
    own: tuple[Tensor, Tensor]
    logits: Tensor
    same: Tensor | None


def shift_of(scale: float) -> float:
    """What is taken from all logits before exp: cosines end at 1, so sums end at exp(70) times the batch."""
    return scale - _HEADROOM


def sum_up(block: Block, scale: float, dtype: torch.dtype) -> Sums:
    """One pass over the tiles. Sums are taken in `dtype`."""
    m, n = len(block.rows), len(block.columns)
    several, targets = bool(block.labels), block.has_spread_targets
    sizes = (m, m * targets, m * several, n, n * targets, n * several)
    sums = Sums(*(block.rows.new_zeros(size, dtype=dtype) for size in sizes))
    shift = shift_of(scale)
    for tile in _tiles(block, scale, dtype):
        i, j, _, logits, same = tile
        if same is not None:
            sums.row_count[i] += same.sum(1)
            sums.column_count[j] += same.sum(0)
            if targets:
                agreeing = logits * same
                sums.row_same[i] += agreeing.sum(1)
                sums.column_same[j] += agreeing.sum(0)
        exponentials = _without_same(block, tile).sub_(shift).exp_()
        sums.row[i] += exponentials.sum(1)
        sums.column[j] += exponentials.sum(0)
    return sums


def add_gradients(
    block: Block,
    scale: float,
    weights: tuple[Tensor, Tensor],
    spread: tuple[Tensor, Tensor] | None,
    own_weights: tuple[Tensor, Tensor],
    gradients: tuple[Tensor, Tensor],
) -> None:
    """Add the derivative by the cosines, over the scale, times the other side, to `gradients` of rows and columns.

    `weights` [m], [M] are what exp(logit - shift) counts on the side of its row and of its column; `spread`,
    in mode "positive", what each same thing counts as a target on either side; `own_weights` [m], [M], without it,
    what an entry of a row and its own column counts as the target of that row and of that column.
    """
    shift, dtype = shift_of(scale), weights[0].dtype
    by_row, by_column = gradients
    for tile in _tiles(block, scale, dtype):
        i, j, _, _, same = tile
        flow = _without_same(block, tile).sub_(shift).exp_()
        flow *= weights[0][i, None] + weights[1][None, j]
        if spread is None:
            _move_own(block, tile, flow, own_weights, gradients)
        elif same is not None:
            flow -= same * (spread[0][i, None] + spread[1][None, j])
        flow = flow.to(by_row.dtype)
        _add_product(by_row[i], flow, block.columns[j])
        _add_product(by_column[j], flow.T, block.rows[i])


def _tiles(block: Block, scale: float, dtype: torch.dtype) -> Iterator[_Tile]:
    own = _OwnEntries(block)
    for top in range(0, len(block.rows), block.tile):
        i = slice(top, top + block.tile)
        for left in range(0, len(block.columns), block.tile):
            j = slice(left, left + block.tile)
            logits = _product(block.rows[i], block.columns[j].T).to(dtype).mul_(scale)
            same = None
            for of_rows, of_columns in block.labels:
                equal = of_rows[i, None] == of_columns[None, j]
                same = equal if same is None else same.logical_or_(equal)
            yield _Tile(i, j, own.within(i, j), logits, same)


def sum_up_sigmoid(
    block: Block, scale: float, bias: float, weights: tuple[Tensor, Tensor], dtype: torch.dtype
) -> Tensor:
    """[3]: sums over all entries, weighted by their row and by their column, and the number of the same thing.

    Of softplus(logit), less the logit of the same thing where that is a target. `weights` are [m] and [M].
    """
    by_row, by_column, number = (block.rows.new_zeros((), dtype=dtype) for _ in range(3))
    for tile in _tiles(block, scale, dtype):
        logits, same = tile.logits.add_(bias), tile.same
        targets = None
        if same is not None:
            number += same.sum()
            if block.has_spread_targets:
                targets = logits * same
        lost = functional.softplus(_without_same(block, tile))
        if targets is not None:
            lost -= targets
        by_row += (weights[0][tile.i] * lost.sum(1)).sum()
        by_column += (weights[1][tile.j] * lost.sum(0)).sum()
    return torch.stack([by_row, by_column, number])


def add_sigmoid_gradients(
    block: Block, scale: float, bias: float, weights: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor]
) -> Tensor:
    """As `add_gradients`, for a loss that counts an entry as its row and its column do; returns that by the bias.

    `weights` [m], [M] are of the type that sums are taken in.
    """
    by_row, by_column = gradients
    dtype = weights[0].dtype
    by_bias = by_row.new_zeros(())
    for tile in _tiles(block, scale, dtype):
        tile.logits.add_(bias)
        weight = weights[0][tile.i, None] + weights[1][None, tile.j]
        flow = _without_same(block, tile).sigmoid_().mul_(weight)
        if not block.has_spread_targets:
            by_bias += _move_own(block, tile, flow, weights, gradients).sum()
        elif tile.same is not None:
            flow -= weight * tile.same
        flow = flow.to(by_row.dtype)
        by_bias += flow.sum()
        _add_product(by_row[tile.i], flow, block.columns[tile.j])
        _add_product(by_column[tile.j], flow.T, block.rows[tile.i])
    return by_bias


def _without_same(block: Block, tile: _Tile) -> Tensor:
    """The logits, minus infinity for the same thing where that is neither target nor negative; overwrites them."""
    _, _, own, logits, same = tile
    if same is not None and block.false_negatives == "ignore":
        same[own] = False
        logits.masked_fill_(same, -torch.inf)
    return logits


def _move_own(
    block: Block, tile: _Tile, flow: Tensor, weights: tuple[Tensor, Tensor], gradients: tuple[Tensor, Tensor]
) -> Tensor:
    """Set the entries of each row with its own column to zero in `flow` and add their part of the gradients here.

    Returns these entries less the weights of their row and of their column. The two are nearly equal late in a
    training, so that their difference must be taken before anything is multiplied with rounded operands.
    """
    by_row, by_column = gradients
    i, j, (rows, columns), _, _ = tile
    if not len(rows):
        return by_row.new_zeros(0)
    own_weight = (weights[0][i][rows] + weights[1][j][columns]).to(flow.dtype)
    own = (flow[rows, columns] - own_weight).to(by_row.dtype)
    flow[rows, columns] = 0
    by_row[i].index_add_(0, rows, own[:, None] * block.columns[j][columns])
    by_column[j].index_add_(0, columns, own[:, None] * block.rows[i][rows])
    return own


class _OwnEntries:
    """Where each row of a block meets its own column, tile by tile.

    Both numbers grow together, as samples do: so a tile's entries are a range, found without asking the device again.
    """

    def __init__(self, block: Block) -> None:
        self._tile = block.tile
        self._rows = (block.own >= 0).nonzero()[:, 0]
        self._columns = block.own[self._rows]
        self._row_bounds = self._bounds(self._rows, len(block.rows))
        self._column_bounds = self._bounds(self._columns, len(block.columns))

    def within(self, i: slice, j: slice) -> tuple[Tensor, Tensor]:
        """The entries of the tile of rows `i` and columns `j`, counted from its corner."""
        by_row, by_column = self._row_bounds[i.start // self._tile :], self._column_bounds[j.start // self._tile :]
        entries = slice(max(by_row[0], by_column[0]), min(by_row[1], by_column[1]))
        return self._rows[entries] - i.start, self._columns[entries] - j.start

    def _bounds(self, numbers: Tensor, size: int) -> list[int]:
        """How many of the sorted numbers stand before the first, the second, ... tile, and before the end."""
        starts = torch.arange(0, size + self._tile, self._tile, device=numbers.device)
        return torch.searchsorted(numbers, starts).tolist()


def _product(a: Tensor, b: Tensor) -> Tensor:
    """a @ b with sums in float32 at least: GPUs multiply bfloat16 so, CPUs within `products_in`."""
    if a.dtype in (torch.float32, torch.float64):
        return a @ b
    if a.is_cuda:
        return torch.mm(a, b, out_dtype=torch.float32)
    return a.float() @ b.float()


def _add_product(to: Tensor, a: Tensor, b: Tensor) -> None:
    """to += a @ b, where b is of the features' type."""
    if b.dtype == to.dtype:
        to.addmm_(a, b)
    elif b.is_cuda:
        to += torch.mm(a.to(b.dtype), b, out_dtype=torch.float32)
    else:
        to.addmm_(a, b.to(to.dtype))
