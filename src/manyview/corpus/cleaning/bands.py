"""Bands: all pairs of 64-bit words within a Hamming distance, without comparing every word with every other.

Cut words into d + r bands of bits: two that differ in at most d bits agree in at least r bands. So each choice of r
bands is a key, equal keys make a bucket, and only words of one bucket are compared. A bucket that is still large is
searched again by what is left of its words.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

__all__ = ["PairBlock", "close_pairs", "cut", "key_of"]

_MOST_IN_BUCKET = 512
_PACKED_BITS = 32  # a key and a row share 64 bits, so that one sort of integers orders both
_COST_OF_ROW, _COST_OF_PAIR = 60, 15  # nanoseconds, measured; only their ratio matters
_PAIRS_AT_ONCE = 1 << 20

PairBlock = tuple[np.ndarray, np.ndarray, np.ndarray]  # rows, other rows, distances


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
    return [Band(low, high - low) for low, high in zip(edges, edges[1:], strict=False)]


def key_of(words: np.ndarray, bands: list[Band]) -> np.ndarray:
    """The bits of some bands side by side, as uint64."""
    key = np.zeros(len(words), np.uint64)
    for band in bands:
        key = (key << np.uint64(band.width)) | band.of(words)
    return key


def close_pairs(words: np.ndarray, distance: int) -> Iterator[PairBlock]:
    """Each pair of rows whose words differ in 1 to `distance` bits, once, the smaller row first, in blocks.

    `words` are distinct uint64. Memory is some tens of bytes a row and a block of pairs; time is nearly linear
    unless the pairs themselves are many.
    """
    waiting, count = list[PairBlock](), 0
    for block in _search(words, 64, np.zeros(len(words), np.uint64), 1, distance):
        waiting.append(block)
        count += len(block[0])
        if count >= _PAIRS_AT_ONCE:
            yield _ordered(waiting)
            waiting, count = [], 0
    if waiting:
        yield _ordered(waiting)


def _ordered(blocks: list[PairBlock]) -> PairBlock:
    one, other, distances = (np.concatenate(column) for column in zip(*blocks, strict=True))
    return np.minimum(one, other), np.maximum(one, other), distances


def _search(words: np.ndarray, width: int, group: np.ndarray, groups: int, distance: int) -> Iterator[PairBlock]:
    """The close pairs among words of `width` bits that share a group."""
    agreeing = _bands_to_agree(len(words), width, groups, distance)
    bands = cut(width, distance + agreeing)
    for chosen in combinations(range(len(bands)), agreeing):
        shared = [bands[i] for i in chosen]
        passed = [bands[i] for i in range(max(chosen, default=0)) if i not in chosen]
        left = [band for i, band in enumerate(bands) if i not in chosen]
        key = (group << np.uint64(sum(band.width for band in shared))) | key_of(words, shared)
        for one, other, apart in _within_buckets(words, key, left, distance, last=not chosen):
            differing = words[one] ^ words[other]
            first = np.ones(len(one), bool)  # a pair that an earlier choice of bands has found is not told again
            for band in passed:
                first &= band.of(differing) != 0
            yield one[first], other[first], apart[first]


def _bands_to_agree(rows: int, width: int, groups: int, distance: int) -> int:
    """The r that costs least for random words; 0 compares everything within a group."""

    def cost(agreeing: int) -> float:
        bits = agreeing * width / (distance + agreeing)
        candidates = rows * rows / groups / 2 ** (bits + 1)
        return math.comb(distance + agreeing, agreeing) * (rows * _COST_OF_ROW + candidates * _COST_OF_PAIR)

    room = _PACKED_BITS - groups.bit_length()
    fitting = [r for r in range(1, 6) if distance + r <= width and math.ceil(r * width / (distance + r)) + r <= room]
    return min([0, *fitting] if distance else [0], key=cost)


def _within_buckets(
    words: np.ndarray, key: np.ndarray, left: list[Band], distance: int, *, last: bool
) -> Iterator[PairBlock]:
    """The close pairs of equal key, large buckets by a further search of the bits that are left."""
    packed = (key << np.uint64(_PACKED_BITS)) | np.arange(len(words), dtype=np.uint64)
    packed.sort()
    rows = (packed & np.uint64((1 << _PACKED_BITS) - 1)).astype(np.int64)
    edges = np.flatnonzero(np.diff(packed >> np.uint64(_PACKED_BITS))) + 1
    starts, ends = np.r_[0, edges], np.r_[edges, len(rows)]
    sizes = ends - starts
    large = (sizes > _MOST_IN_BUCKET) & (not last)
    yield from _compare(words, rows, starts[~large], sizes[~large], distance)
    if large.any():
        yield from _search_again(words, rows, starts[large], sizes[large], left, distance)


def _search_again(
    words: np.ndarray, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray, left: list[Band], distance: int
) -> Iterator[PairBlock]:
    inside = rows[_positions(starts, sizes)]
    group = np.repeat(np.arange(len(starts), dtype=np.uint64), sizes)
    width = sum(band.width for band in left)
    for one, other, apart in _search(key_of(words[inside], left), width, group, len(starts), distance):
        yield inside[one], inside[other], apart


def _positions(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """start, start + 1, ... of each run, one run after the other."""
    before = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) + np.repeat(starts - before, sizes)


def _compare(
    words: np.ndarray, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray, distance: int
) -> Iterator[PairBlock]:
    """Every word of a bucket with the next in it, then with the one after that, until no bucket is so long."""
    several = sizes > 1
    starts, sizes = starts[several], sizes[several]
    here = _positions(starts, sizes)
    ends = np.repeat(starts + sizes, sizes)
    sorted_words = words[rows]
    step = 1
    while True:
        fits = here + step < ends
        here, ends = here[fits], ends[fits]
        if not here.size:
            return
        apart = np.bitwise_count(sorted_words[here] ^ sorted_words[here + step])
        close = apart <= distance
        if close.any():
            found = here[close]
            yield rows[found], rows[found + step], apart[close]
        step += 1
