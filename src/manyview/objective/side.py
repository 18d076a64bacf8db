"""Side: one edge on one process, features and all; and the gradients that flow back from it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor

from manyview.objective.edge import Edge
from manyview.objective.roster import Roster, Seat
from manyview.objective.tiles import Block

__all__ = ["Gradients", "Side", "default_tile", "seat_all"]

_TILE_CPU, _TILE_GPU = 1024, 4096
_CHUNK = 4096  # rows multiplied by their own column at a time

Buffers = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class Side:
    """An edge on this process: who stands where, and their features."""

    seat: Seat
    block: Block

    def own_cosines(self, dtype: torch.dtype) -> Tensor:
        """The cosine of each asked row with the column of its own sample."""
        rows, columns = self.block.rows, self.block.columns
        chunks = torch.split(self.seat.asked.nonzero()[:, 0], _CHUNK)
        return torch.cat([(rows[chunk].to(dtype) * columns[self.seat.own[chunk]]).sum(1) for chunk in chunks])


def default_tile(scale: Tensor) -> int:
    """A tile that a core's cache holds, or that keeps a GPU busy."""
    return _TILE_GPU if scale.is_cuda else _TILE_CPU


def seat_all(roster: Roster, features: Mapping[str, Tensor], tile: int) -> list[Side]:
    """Every edge's side, once the views that are columns are gathered, in one collective."""
    everywhere = {view: features[view] for view in roster.columns}
    if roster.world.size > 1:
        gathered = roster.world.gather(torch.stack([features[view] for view in roster.columns], 1))
        everywhere = {view: gathered[:, :, place].flatten(0, 1) for place, view in enumerate(roster.columns)}
    sides = []
    for edge in roster.edges:
        seat = roster.seat(edge)
        rows, columns = seat.of_rows(features[edge.row]), seat.of_columns(everywhere[edge.column])
        sides.append(Side(seat, Block(rows, columns, seat.own, seat.labels, roster.false_negatives, tile)))
    return sides


class Gradients:
    """By view, the derivative by each cosine times the other side: of rows here, of columns of all processes."""

    def __init__(self, roster: Roster, features: Mapping[str, Tensor]) -> None:
        self._roster, self._features = roster, features
        self._dtype = torch.promote_types(next(iter(features.values())).dtype, torch.float32)
        self._by_row, self._by_column = dict[str, Tensor](), dict[str, Tensor]()

    def weights(self, edge: Edge, side: Side) -> tuple[Tensor, Tensor]:
        """[m], [M] float64: what each query of the pair along the edge, and of the pair back, counts in the loss."""
        seat = side.seat
        along, back = (
            weights * (0.0 if number is None or not total else self._roster.pairs[number].weight / total)
            for number, weights, total in (
                (edge.along, seat.row_weights, seat.row_total),
                (edge.back, seat.column_weights, seat.column_total),
            )
        )
        return along, back

    @contextmanager
    def of(self, edge: Edge, side: Side) -> Iterator[Buffers]:
        """[m, d] and [M, d] to add an edge's gradients to."""
        to_row, row_done = self._buffer(self._by_row, edge.row, self._roster.n, side.seat.rows)
        everybody = self._roster.n * self._roster.world.size
        to_column, column_done = self._buffer(self._by_column, edge.column, everybody, side.seat.columns)
        yield to_row, to_column
        for whole, numbers, part in ((row_done, side.seat.rows, to_row), (column_done, side.seat.columns, to_column)):
            if numbers is not None:
                whole.index_add_(0, numbers, part)

    def finished(self, by_loss: Tensor, scale: float) -> tuple[Tensor, list[Tensor]]:
        """The gradients by the scale and by the features of each view, so that their mean over the world is right.

        Takes one collective, which brings home what all processes found for this one's columns.
        """
        # A row's sum is its derivative by the scaled cosines times the columns: with the row itself, by the scale.
        by_scale = torch.stack([(of * self._features[view]).sum() for view, of in self._by_row.items()]).sum()
        by_view = self._by_row
        for view, of in self._home().items():
            by_view[view] = by_view[view].add_(of) if view in by_view else of
        mean = self._roster.world.size * by_loss
        by_features = [by_view[view].mul_(mean * scale).to(self._features[view].dtype) for view in self._roster.views]
        return (by_scale * mean).to(by_loss.dtype), by_features

    def _buffer(self, buffers: dict[str, Tensor], view: str, n: int, numbers: Tensor | None) -> tuple[Tensor, Tensor]:
        """What to add to, and the whole view's: the same where nobody is absent."""
        width = self._features[view].shape[1]
        if view not in buffers:
            buffers[view] = self._features[view].new_zeros((n, width), dtype=self._dtype)
        whole = buffers[view]
        return (whole if numbers is None else whole.new_zeros((len(numbers), width))), whole

    def _home(self) -> dict[str, Tensor]:
        size, columns = self._roster.world.size, self._roster.columns
        if size == 1:
            return self._by_column
        stacked = torch.stack([self._by_column[view].view(size, self._roster.n, -1) for view in columns], 2)
        mine = self._roster.world.scatter_sum(stacked)
        return {view: mine[:, place] for place, view in enumerate(columns)}
