"""Rows: the readable rows of a corpus, numbered in its order whatever the shards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from manyview.corpus.blocks import Block
from manyview.corpus.corpus import Corpus
from manyview.corpus.record import Record, Text
from manyview.corpus.table import encoded_image
from manyview.errors import DataError

__all__ = ["Place", "Rows"]

_RECORD = ("id", "texts")


@dataclass(frozen=True)
class Place:
    """A block, and the number of its first row."""

    split: str
    block: Block
    start: int

    @property
    def stop(self) -> int:
        return self.start + self.block.rows


@dataclass
class Rows:
    """The blocks of all splits one behind the other; what cannot be read is noted in `unreadable` and left out."""

    corpus: Corpus
    places: list[Place] = field(default_factory=list)
    bounds: dict[str, tuple[int, int]] = field(default_factory=dict)
    unreadable: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, corpus: Corpus) -> Rows:
        rows = cls(corpus)
        number = 0
        for split in corpus.splits:
            first = number
            for block in rows._blocks(split):
                rows.places.append(Place(split, block, number))
                number += block.rows
            rows.bounds[split] = (first, number)
        return rows

    @property
    def total(self) -> int:
        return self.places[-1].stop if self.places else 0

    def read(self, place: Place, columns: Sequence[str]) -> pa.Table | None:
        """The columns of a block; None when it is damaged."""
        try:
            return self.corpus.read(place.block, columns)
        except DataError as error:
            self.unreadable.setdefault(str(place.block.file), str(error))
            return None

    def split_of(self, row: int) -> str:
        """The split a row stands in."""
        return next(split for split, (first, stop) in self.bounds.items() if first <= row < stop)

    def containing(self, wanted: np.ndarray) -> Iterator[tuple[Place, np.ndarray]]:
        """The blocks with any of the `wanted` rows (ascending), and which of their own rows are wanted."""
        for place in self.places:
            low, high = np.searchsorted(wanted, (place.start, place.stop))
            if low < high:
                yield place, wanted[low:high] - place.start

    def fetch(self, wanted: Iterable[int], *, image: bool = False) -> dict[int, Record]:
        """Id and texts, and the image if asked for, of some rows; those of damaged blocks are missing."""
        found: dict[int, Record] = {}
        for place, local in self.containing(np.array(sorted(set(wanted)), np.int64)):
            table = self.read(place, (*_RECORD, "image") if image else _RECORD)
            if table is not None:
                chosen = table.take(pa.array(local)).to_pylist()
                found |= zip((local + place.start).tolist(), map(_record, chosen), strict=True)
        return found

    def _blocks(self, split: str) -> Iterator[Block]:
        """Shard by shard, so that a damaged one hides no other."""
        for shard in self.corpus.manifest.splits[split]:
            alone = self.corpus.manifest.model_copy(update={"splits": {split: [shard]}})
            try:
                yield from Corpus(self.corpus.folder, alone).blocks(split)
            except DataError as error:
                self.unreadable[str(self.corpus.folder / shard.file)] = str(error)


def _record(row: dict[str, Any]) -> Record:
    """What other writers leave out is empty."""
    said = [text for text in row["texts"] or () if text and text["text"]]
    return Record(
        id=row["id"] or "",
        group="",
        image=encoded_image(row.get("image")),
        texts=tuple(Text(text["kind"] or "", text["text"], text["lang"] or "") for text in said),
    )
