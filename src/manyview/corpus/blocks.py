"""Blocks: the row groups of a split, held as arrays because a large corpus has millions of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from manyview.corpus.location import Location

__all__ = ["Block", "Blocks"]


@dataclass(frozen=True)
class Block:
    """One row group of one shard: the unit of reading and of shuffling."""

    file: Location
    row_group: int
    rows: int


@dataclass(frozen=True, eq=False)
class Blocks(Sequence[Block]):
    """Row groups of shards in reading order.

    `rows` int32 [blocks] of each; `first` int64 [files] is the number of each file's first block.
    """

    files: Sequence[Location]
    first: np.ndarray
    rows: np.ndarray

    @classmethod
    def of_shards(cls, files: Sequence[Location], row_groups: Iterable[Sequence[int] | np.ndarray]) -> Blocks:
        """From the rows of each row group of each file."""
        sizes = [np.asarray(rows, np.int32) for rows in row_groups]
        counts = np.fromiter(map(len, sizes), np.int64, len(sizes))
        rows = np.concatenate(sizes) if sizes else np.zeros(0, np.int32)
        return cls(files, np.cumsum(counts) - counts, rows)

    @classmethod
    def joined(cls, parts: Sequence[Blocks]) -> Blocks:
        """The blocks of several corpora one behind the other."""
        starts = np.cumsum([0, *map(len, parts)])
        return cls(
            [file for part in parts for file in part.files],
            np.concatenate([part.first + start for part, start in zip(parts, starts[:-1], strict=True)]),
            np.concatenate([part.rows for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, number: int) -> Block: ...
    @overload
    def __getitem__(self, number: slice) -> list[Block]: ...
    def __getitem__(self, number: int | slice) -> Block | list[Block]:
        if isinstance(number, slice):
            return [self[i] for i in range(*number.indices(len(self)))]
        number = range(len(self))[number]
        shard = int(np.searchsorted(self.first, number, side="right")) - 1
        return Block(self.files[shard], number - int(self.first[shard]), int(self.rows[number]))
