"""Streams: the records that are read side by side, each in an order of its own."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from manyview.corpus.blocks import Blocks
from manyview.corpus.corpus import Corpus
from manyview.errors import UsageError

__all__ = ["Stream", "make_streams", "pass_length"]


@dataclass(frozen=True, eq=False)
class Stream:
    """Its rows, int32 [n], in each of its blocks, int32 [n] ascending: all rows of those, or those of `source`.

    `share` is its part of the batch, in any unit; `corpus` the number of its corpus.
    """

    blocks: np.ndarray
    rows: np.ndarray
    share: float
    source: str | None = None
    corpus: int = 0

    @property
    def records(self) -> int:
        return int(self.rows.sum(dtype=np.int64))


def make_streams(
    corpora: Sequence[Corpus],
    split: str,
    blocks: Sequence[Blocks],
    *,
    weights: Sequence[float],
    source_exponent: float,
    lanes: int,
) -> list[Stream]:
    """The streams of a split of several corpora; blocks are numbered through, one corpus behind the other.

    Each corpus is one, in proportion to its weight; with a `source_exponent` other than 1 each of its sources, in
    proportion to the number of its records to this power. Each is dealt out to so many `lanes`. Raises UsageError for
    a corpus without records.
    """
    streams, first = [], 0
    for number, (corpus, own, weight) in enumerate(zip(corpora, blocks, weights, strict=True)):
        if not own.rows.any():
            raise UsageError(f"the split {split!r} of the corpus at {corpus.folder} has no records")
        if source_exponent == 1:
            every_block = np.arange(first, first + len(own), dtype=np.int32)
            streams.append(Stream(every_block, own.rows, weight, corpus=number))
        else:
            by_source = _sources(corpus, split, first, weight, source_exponent)
            streams += [replace(stream, corpus=number) for stream in by_source]
        first += len(own)
    return [lane for stream in streams for lane in _lanes(stream, lanes)]


def pass_length(corpora: Sequence[Corpus], split: str, weights: Sequence[float]) -> float:
    """How many records come in one pass over those with an image, each corpus with its part of them by weight.

    All records where every one has an image, or none. Raises UsageError for a corpus without records.
    """
    records = [corpus.splits.get(split, 0) for corpus in corpora]
    images = [corpus.image_count(split) if count else 0 for corpus, count in zip(corpora, records, strict=True)]
    if images == records or not any(images):
        return sum(records)
    parts = [weight * shown / max(1, count) for weight, shown, count in zip(weights, images, records, strict=True)]
    return sum(images) * sum(weights) / sum(parts)


def _sources(corpus: Corpus, split: str, first: int, weight: float, exponent: float) -> list[Stream]:
    """A stream for each source of a corpus whose first block has the number `first`."""
    streams = []
    for source, rows in corpus.source_rows(split).items():
        blocks = np.flatnonzero(rows).astype(np.int32)
        if len(blocks):
            streams.append(Stream(first + blocks, rows[blocks], 0.0, source))
    parts = [stream.records**exponent for stream in streams]
    total = sum(parts)
    return [replace(stream, share=weight * part / total) for stream, part in zip(streams, parts, strict=True)]


def _lanes(stream: Stream, lanes: int) -> list[Stream]:
    """A stream's blocks dealt out, the fullest first to the emptiest lane; lanes that would stay empty are not made."""
    filled = np.flatnonzero(stream.rows)
    count = max(1, min(lanes, len(filled)))
    if count == 1:
        return [stream]
    lane_of = np.full(len(stream.rows), -1, np.int32)
    emptiest = [(0, lane) for lane in range(count)]
    for number in filled[np.argsort(-stream.rows[filled], kind="stable")].tolist():
        records, lane = emptiest[0]
        lane_of[number] = lane
        heapq.heapreplace(emptiest, (records + int(stream.rows[number]), lane))
    members = (np.flatnonzero(lane_of == lane) for lane in range(count))
    return [
        replace(stream, blocks=stream.blocks[at], rows=stream.rows[at], share=stream.share / count) for at in members
    ]
