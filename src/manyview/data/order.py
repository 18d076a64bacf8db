"""Order: which record comes when, a pure function of (seed, position)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

import numpy as np

from manyview.data.randomness import permutation
from manyview.errors import UsageError

__all__ = ["MixedOrder", "Order", "Places", "batch_shares"]


@dataclass(frozen=True, eq=False)
class Places:
    """Where n records stand: row `row` of those that stream `stream` has in block `block`, met in epoch `epoch`.

    Each is int64 [n]. A stream that has all rows of its blocks counts them as the block does.
    """

    epoch: np.ndarray
    stream: np.ndarray
    block: np.ndarray
    row: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Places"]) -> "Places":
        """One behind the other."""
        columns = ([getattr(part, name) for part in parts] for name in ("epoch", "stream", "block", "row"))
        return cls(*(np.concatenate([np.zeros(0, np.int64), *column]) for column in columns))

    def taken(self, numbers: np.ndarray) -> "Places":
        """The places of these numbers, in their order."""
        return Places(self.epoch[numbers], self.stream[numbers], self.block[numbers], self.row[numbers])

    def __len__(self) -> int:
        return len(self.row)


@dataclass(frozen=True, eq=False)
class _Epoch:
    """The `blocks` of an epoch in their order, and the position at which each window of them starts [windows + 1]."""

    number: int
    blocks: np.ndarray
    starts: np.ndarray


@dataclass(frozen=True, eq=False)
class _Window:
    """The rows of window `number` of an epoch in their order."""

    epoch: int
    number: int
    block: np.ndarray
    row: np.ndarray


class Order:
    """Block shuffle: blocks in random order, and rows shuffled within windows of `window` blocks.

    The stream of epochs has no seams: position p lies in epoch p // epoch_length, every row comes once an
    epoch, and a batch may take the end of one epoch and the start of the next. A run's position is its step
    number, whatever the workers or the number of processes. The current epoch and window are remembered only
    because they are asked for again.

    `rows` [n] are the stream's rows in each of its `blocks` [n], ascending numbers of `num_blocks`; by default
    it has all blocks. `stream` is its number among several.
    """

    def __init__(
        self,
        rows: Sequence[int] | np.ndarray,
        seed: int,
        window: int = 16,
        *,
        blocks: np.ndarray | None = None,
        num_blocks: int | None = None,
        stream: int = 0,
    ) -> None:
        self.rows = np.asarray(rows, np.int32)
        self.blocks, self.num_blocks = blocks, len(self.rows) if num_blocks is None else num_blocks
        self.epoch_length = int(self.rows.sum(dtype=np.int64))
        self.window = window
        self._seed, self._stream = seed, stream
        self._epoch: _Epoch | None = None
        self._shuffled: _Window | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_epoch": None, "_shuffled": None}

    def batch(self, step: int, batch_size: int, start: int = 0, stop: int | None = None) -> Places:
        """The places of step `step` (from 0) at `batch_size` records a step; only its rows `start` to `stop`."""
        first = step * batch_size + start
        last = step * batch_size + (batch_size if stop is None else min(stop, batch_size))
        parts = []
        while first < last:
            epoch, within = divmod(first, self.epoch_length)
            part = self._piece(epoch, within, min(self.epoch_length, within + last - first))
            parts.append(part)
            first += len(part)
        return Places.joined(parts)

    def _piece(self, epoch: int, first: int, last: int) -> Places:
        """Places `first` to `last` of an epoch, as far as they lie in the window of the first."""
        starts = self._begun(epoch).starts
        number = int(np.searchsorted(starts, first, side="right")) - 1
        window = self._window_of(epoch, number)
        cut = slice(first - int(starts[number]), min(last, int(starts[number + 1])) - int(starts[number]))
        block, row = window.block[cut].astype(np.int64), window.row[cut].astype(np.int64)
        return Places(np.full(len(row), epoch), np.full(len(row), self._stream), block, row)

    def _begun(self, number: int) -> _Epoch:
        if self._epoch is None or self._epoch.number != number:
            blocks = _block_order(self._seed, number, self.num_blocks)
            sizes = np.add.reduceat(self._rows_of_all()[blocks], np.arange(0, len(blocks), self.window), dtype=np.int64)
            self._epoch = _Epoch(number, blocks, np.concatenate([[0], np.cumsum(sizes)]))
        return self._epoch

    def _window_of(self, epoch: int, number: int) -> _Window:
        told = self._shuffled
        if told is None or (told.epoch, told.number) != (epoch, number):
            blocks = self._begun(epoch).blocks[number * self.window : (number + 1) * self.window]
            rows = self._rows_of(blocks)
            block_of = np.repeat(blocks, rows)
            row_of = np.arange(len(block_of)) - np.repeat(np.cumsum(rows) - rows, rows)
            if len(block_of) > 1:
                shuffle = permutation(self._seed, epoch, f"rows:{number}", len(block_of))
                block_of, row_of = block_of[shuffle], row_of[shuffle]
            self._shuffled = told = _Window(epoch, number, block_of, row_of.astype(np.int32))
        return told

    def _rows_of_all(self) -> np.ndarray:
        """[num_blocks]: the stream's rows in every block."""
        if self.blocks is None:
            return self.rows
        rows = np.zeros(self.num_blocks, np.int32)
        rows[self.blocks] = self.rows
        return rows

    def _rows_of(self, blocks: np.ndarray) -> np.ndarray:
        """[n]: the stream's rows in some blocks."""
        rows: np.ndarray = self.rows[blocks] if self.blocks is None else self._looked_up(self.blocks, blocks)
        return rows

    def _looked_up(self, own: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        at = np.minimum(np.searchsorted(own, blocks), len(own) - 1)
        return np.where(own[at] == blocks, self.rows[at], 0)


class MixedOrder:
    """Streams side by side: a batch holds a fixed number of records of each, in an order of that stream's own.

    `weights` are the streams' shares of the batch, in any unit; a record's epoch is that of its stream. The streams lie
    one behind the other; with `groups`, the number of each stream's group, ascending, the records of every group are
    spread evenly over the batch, so that each process and each chunk has its part of every group.
    """

    def __init__(self, streams: Sequence[Order], weights: Sequence[float], groups: Sequence[int] | None = None) -> None:
        self.streams, self._weights, self._groups = streams, weights, groups
        self.epoch_length = sum(stream.epoch_length for stream in streams)
        """Records of all streams; a stream of more weight than records comes more often than once in so many."""

    def batch(self, step: int, batch_size: int, start: int = 0, stop: int | None = None) -> Places:
        """The places of step `step` (from 0); only its rows `start` to `stop`."""
        shares = batch_shares(self._weights, batch_size)
        rows = np.arange(batch_size) if self._groups is None else _spread_evenly(shares, self._groups)
        rows = rows[start:stop]
        parts = []
        for stream, share, end in zip(self.streams, shares, accumulate(shares), strict=True):
            begin = end - share
            own = rows[(begin <= rows) & (rows < end)] - begin
            if len(own):
                parts.append(stream.batch(step, share, int(own[0]), int(own[-1]) + 1))
        return Places.joined(parts).taken(rows.argsort().argsort())


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


def _spread_evenly(shares: Sequence[int], groups: Sequence[int]) -> np.ndarray:
    """[n]: which row of streams that lie one behind the other comes at each place of the batch."""
    group = np.repeat(groups, shares)
    sizes = np.bincount(group)
    within = np.arange(len(group)) - (np.cumsum(sizes) - sizes)[group]
    return np.argsort((within + 0.5) / sizes[group], kind="stable")


@lru_cache(maxsize=4)
def _block_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """int32 [count]: streams side by side have one order of blocks, and mostly the same epoch."""
    blocks = permutation(seed, epoch, "blocks", count).astype(np.int32)
    blocks.flags.writeable = False
    return blocks
