"""Bands: all pairs of 64-bit words within a Hamming distance, without comparing every word with every other.

Cut words into d + r bands of bits: two that differ in at most d bits agree in at least r bands. So each choice of r
bands is a key, equal keys make a bucket, and only words of one bucket are compared. A bucket that is still large is
searched again by what is left of its words, when that saves work.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np

__all__ = ["Labels", "PairBlock", "close_pairs"]

_SMALL, _LARGE = 64, 4096  # words of a bucket: below, many buckets go together; above, a further search may pay
_ROW_BITS = 32  # a key and a row share 64 bits, so that one sort of integers orders both
_COST_OF_ROW, _COST_OF_PAIR = 60, 15  # nanoseconds, measured; only their ratio matters
_TILE = 64, 4096
_GLANCES = 8
_SMALL_AT_ONCE = 1 << 18

PairBlock = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows, other rows, distances
Labels = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Band:
    """`width` bits of a word from bit `start` on."""

    start: int
    width: int

    def of(self, words: np.ndarray) -> np.ndarray:
        """These bits, as numbers."""
        return (words >> np.uint64(self.start)) & np.uint64((1 << self.width) - 1)


def cut(width: int, count: int) -> list[Band]:
    """`count` bands of nearly equal width that cover `width` bits."""
    edges = [width * i // count for i in range(count + 1)]
    return [Band(low, high - low) for low, high in pairwise(edges)]


def key_of(words: np.ndarray, bands: list[Band]) -> np.ndarray:
    """The bits of some bands side by side, as uint64."""
    key = np.zeros(len(words), np.uint64)
    for band in bands:
        key = (key << np.uint64(band.width)) | band.of(words)
    return key


def close_pairs(words: np.ndarray, distance: int, labels: Labels | None = None) -> Iterator[PairBlock]:
    """Each pair of rows whose words differ in 1 to `distance` bits, once, the smaller row first, in blocks.

    `words` are distinct uint64. With `labels`, pairs of rows that have one label may be left out: it is asked again
    after each block, so that whoever joins the rows of a block spares what follows from it. Memory is some tens of
    bytes a row and a block of pairs; time is nearly linear unless the pairs themselves are many.
    """
    for one, other, apart in _Search(distance, labels).among(np.arange(len(words)), words, 64):
        yield np.minimum(one, other), np.maximum(one, other), apart


@dataclass(frozen=True)
class _Search:
    distance: int
    labels: Labels | None

    def among(self, rows: np.ndarray, words: np.ndarray, width: int) -> Iterator[PairBlock]:
        """The close pairs of some rows; `words` hold the `width` bits in which they may differ."""
        if len(rows) < 2:
            return
        agreeing = _bands_to_agree(len(words), width, self.distance) if len(words) > _LARGE else 0
        bands = cut(width, self.distance + agreeing) if agreeing else []
        choices = [_Choice(bands, chosen) for chosen in combinations(range(len(bands)), agreeing)] if agreeing else []
        if not choices or sum(choice.work(words) for choice in choices) > len(words) ** 2 / 2:
            yield from self._all(rows, words)
            return
        for choice in choices:
            for one, other, apart in self._by(choice, rows, words):
                first = choice.is_first(words, one, other)
                yield rows[one[first]], rows[other[first]], apart[first]

    def _by(self, choice: _Choice, rows: np.ndarray, words: np.ndarray) -> Iterator[PairBlock]:
        """The close pairs of equal key, as places in `rows`."""
        order, starts, sizes = choice.buckets(words)
        small = sizes <= _SMALL
        yield from self._small(words, order, starts[small], sizes[small])
        for start, size in zip(starts[~small], sizes[~small], strict=True):
            inside = order[start : start + size]
            places = _Search(self.distance, self._labels_of(rows))
            yield from places.among(inside, choice.rest(words[inside]), choice.rest_width)

    def _labels_of(self, rows: np.ndarray) -> Labels | None:
        labels = self.labels
        return None if labels is None else lambda places: labels(rows[places])

    def _small(
        self, words: np.ndarray, order: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> Iterator[PairBlock]:
        """Every word of a bucket with the next in it, then with the one after that, until no bucket is so long."""
        several = sizes > 1
        starts, sizes = starts[several], sizes[several]
        cuts = np.searchsorted(np.cumsum(sizes), np.arange(_SMALL_AT_ONCE, int(sizes.sum()), _SMALL_AT_ONCE))
        for begins, lengths in zip(np.split(starts, cuts), np.split(sizes, cuts), strict=True):
            here, ends = _positions(begins, lengths), np.repeat(begins + lengths, lengths)
            step = 1
            while (fits := here + step < ends).any():
                here, ends = here[fits], ends[fits]
                apart = np.bitwise_count(words[order[here]] ^ words[order[here + step]])
                close = apart <= self.distance
                yield order[here[close]], order[here[close] + step], apart[close]
                step += 1

    def _all(self, rows: np.ndarray, words: np.ndarray) -> Iterator[PairBlock]:
        """The close pairs by comparing each word with each, but for those known to have the commonest label."""
        if self.labels is None:
            yield from self._tiles(rows, words, len(rows))
            return
        by_word = np.argsort(words)
        for step in range(1, min(_GLANCES, len(rows) - 1) + 1):  # neighbors in order join most of a dense crowd
            one, other = by_word[:-step], by_word[step:]
            apart = np.bitwise_count(words[one] ^ words[other])
            close = apart <= self.distance
            yield rows[one[close]], rows[other[close]], apart[close]
        found, count = np.unique(self.labels(rows), return_counts=True)
        crowd = self.labels(rows) == found[count.argmax()]
        yield from self._tiles(
            np.r_[rows[~crowd], rows[crowd]], np.r_[words[~crowd], words[crowd]], int((~crowd).sum())
        )

    def _tiles(self, rows: np.ndarray, words: np.ndarray, first: int) -> Iterator[PairBlock]:
        """The close pairs of the `first` rows with all rows after them."""
        for top in range(0, first, _TILE[0]):
            heads = words[top : min(first, top + _TILE[0])]
            for left in range(top, len(words), _TILE[1]):
                apart = np.bitwise_count(heads[:, None] ^ words[None, left : left + _TILE[1]])
                if apart.min() <= self.distance:
                    one, other = np.nonzero(apart <= self.distance)
                    later = other + left > one + top
                    one, other = one[later], other[later]
                    yield rows[one + top], rows[other + left], apart[one, other]


@dataclass(frozen=True)
class _Choice:
    """Some of the bands, in which words have to agree."""

    bands: list[Band]
    chosen: tuple[int, ...]

    @property
    def rest_width(self) -> int:
        return sum(band.width for i, band in enumerate(self.bands) if i not in self.chosen)

    def key(self, words: np.ndarray) -> np.ndarray:
        return key_of(words, [self.bands[i] for i in self.chosen])

    def rest(self, words: np.ndarray) -> np.ndarray:
        return key_of(words, [band for i, band in enumerate(self.bands) if i not in self.chosen])

    def work(self, words: np.ndarray) -> float:
        """Pairs to compare, counted in buckets of hashed keys."""
        mixed = (self.key(words) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(44)
        sizes = np.bincount(mixed.astype(np.int64)).astype(np.float64)
        return float(sizes @ sizes)

    def buckets(self, words: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Places in the order of their keys, where each run of equal keys starts, and how long it is."""
        packed = (self.key(words) << np.uint64(_ROW_BITS)) | np.arange(len(words), dtype=np.uint64)
        packed.sort()
        edges = np.flatnonzero(np.diff(packed >> np.uint64(_ROW_BITS))) + 1
        starts, ends = np.r_[0, edges], np.r_[edges, len(packed)]
        return (packed & np.uint64((1 << _ROW_BITS) - 1)).astype(np.int64), starts, ends - starts

    def is_first(self, words: np.ndarray, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """Of pairs that agree in these bands: whether no earlier choice has found them."""
        differing = words[one] ^ words[other]
        first = np.ones(len(one), bool)
        for i in range(max(self.chosen)):
            if i not in self.chosen:
                first &= self.bands[i].of(differing) != 0
        return first


def _bands_to_agree(rows: int, width: int, distance: int) -> int:
    """The r that costs least for random words; 0 compares everything."""

    def cost(agreeing: int) -> float:
        bits = agreeing * width / (distance + agreeing)
        return math.comb(distance + agreeing, agreeing) * (
            rows * _COST_OF_ROW + rows * rows / 2 ** (bits + 1) * _COST_OF_PAIR
        )

    fitting = [
        r for r in range(1, 6) if distance + r <= width and math.ceil(r * width / (distance + r)) + r <= _ROW_BITS
    ]
    return min(fitting, key=cost, default=0)


def _positions(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """start, start + 1, ... of each run, one run after the other."""
    before = np.cumsum(sizes) - sizes
    positions: np.ndarray = np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)
    return positions
