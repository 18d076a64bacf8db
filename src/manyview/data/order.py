"""Order: which record comes when, a pure function of (seed, position)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from manyview.data.randomness import permutation
from manyview.errors import UsageError

__all__ = ["MixedOrder", "Order", "Place", "batch_shares"]


@dataclass(frozen=True)
class Place:
    """Row `row` of block `block`, met in epoch `epoch`."""

    epoch: int
    block: int
    row: int


@dataclass(frozen=True)
class Order:
    """Block shuffle: blocks in random order, and rows shuffled within windows of `window` blocks.

    The stream of epochs has no seams: position p lies in epoch p // len(rows), every row comes once an
    epoch, and a batch may take the end of one epoch and the start of the next. Nothing is stored, so a
    run's position is its step number, whatever the workers or the number of processes.
    """

    rows: tuple[int, ...]
    seed: int
    window: int = 16

    @property
    def epoch_length(self) -> int:
        """Records in one epoch."""
        return sum(self.rows)

    def batch(self, step: int, batch_size: int) -> list[Place]:
        """The places of step `step` (from 0) at `batch_size` records a step."""
        return [self.place(step * batch_size + i) for i in range(batch_size)]

    def place(self, position: int) -> Place:
        """The place at a position of the endless stream."""
        epoch, within = divmod(position, self.epoch_length)
        blocks, starts = _windows(self, epoch)
        window = int(np.searchsorted(starts, within, side="right")) - 1
        block_of, row_of = _shuffled(self, epoch, window, tuple(blocks[window]))
        index = within - int(starts[window])
        return Place(epoch, int(block_of[index]), int(row_of[index]))


class MixedOrder:
    """Streams side by side: a batch holds a fixed number of records of each, in an order of that stream's own.

    `rows` lists, stream by stream, the rows of each block that belong to it; `weights` are the streams' shares
    of the batch, in any unit.
    """

    def __init__(
        self, rows: Sequence[Sequence[Sequence[int]]], weights: Sequence[float], seed: int, window: int
    ) -> None:
        self._rows = rows
        self._orders = [Order(tuple(len(block) for block in blocks), seed, window) for blocks in rows]
        self._weights = weights

    @property
    def epoch_length(self) -> int:
        """Records of all streams; a stream of more weight than records comes more often than once in so many."""
        return sum(order.epoch_length for order in self._orders)

    def batch(self, step: int, batch_size: int) -> list[Place]:
        """The places of step `step` (from 0); the epoch of each is that of its stream."""
        places = []
        shares = batch_shares(self._weights, batch_size)
        for order, rows, share in zip(self._orders, self._rows, shares, strict=True):
            places += [Place(p.epoch, p.block, rows[p.block][p.row]) for p in order.batch(step, share)]
        return places


def batch_shares(weights: Sequence[float], batch_size: int) -> list[int]:
    """Whole numbers that sum to `batch_size`, in proportion to the weights by largest remainders, each at least 1.

    Raises UsageError when there are more weights than places.
    """
    if len(weights) > batch_size:
        raise UsageError(f"{len(weights)} sources do not fit in batch_size={batch_size}: make the batch larger")
    parts = np.array(weights, float)
    ideal = parts / parts.sum() * (batch_size - len(parts))
    shares = 1 + np.floor(ideal).astype(int)
    shares[np.argsort(np.floor(ideal) - ideal, kind="stable")[: batch_size - shares.sum()]] += 1
    return [int(share) for share in shares]


@lru_cache(maxsize=16)
def _windows(order: Order, epoch: int) -> tuple[list[Sequence[int]], np.ndarray]:
    """The blocks of each window of an epoch and the position at which each window starts."""
    blocks = permutation(order.seed, epoch, "blocks", len(order.rows))
    windows = [blocks[i : i + order.window].tolist() for i in range(0, len(blocks), order.window)]
    sizes = [sum(order.rows[b] for b in window) for window in windows]
    return windows, np.concatenate([[0], np.cumsum(sizes)[:-1]])


@lru_cache(maxsize=32)
def _shuffled(order: Order, epoch: int, window: int, blocks: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    block_of = np.repeat(blocks, [order.rows[b] for b in blocks])
    row_of = np.concatenate([np.arange(order.rows[b]) for b in blocks])
    shuffle = permutation(order.seed, epoch, f"rows:{window}", len(block_of))
    return block_of[shuffle], row_of[shuffle]
