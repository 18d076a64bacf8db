"""Near-duplicates: which images have perceptual hashes within a Hamming distance of one another. The answer is exact.

Images of one hash are taken once: a million blank pages are one page. An image without a hash is like no other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from manyview.corpus.cleaning.bands import Labels, PairBlock, close_pairs
from manyview.errors import UsageError

__all__ = ["DistinctHashes", "NearPairs", "components", "distinct_hashes", "near_pairs", "near_to", "stand_ins"]

FARTHEST = 16
_COMPARED_PLAINLY, _TILE = 1 << 28, 1 << 18


@dataclass(frozen=True)
class DistinctHashes:
    """The hashes of some rows without repetition.

    `words` are uint64 in order of first appearance, `first` is the row where each stands first, and `place` says for
    each row which of them it has, -1 for a row without a hash.
    """

    words: np.ndarray
    first: np.ndarray
    place: np.ndarray


@dataclass(frozen=True)
class NearPairs:
    """Pairs of distinct hashes within a distance: places in `hashes.words`, left < right, in ascending order."""

    hashes: DistinctHashes
    left: np.ndarray
    right: np.ndarray
    distance: np.ndarray


def distinct_hashes(hashes: np.ndarray, present: np.ndarray | None = None) -> DistinctHashes:
    """Of int64 or uint64 hashes; `present` is false for rows that have none."""
    if hashes.dtype not in (np.int64, np.uint64) or hashes.ndim != 1:
        raise UsageError(f"hashes are a row of 64-bit integers, got {hashes.dtype} of shape {hashes.shape}")
    rows = np.arange(len(hashes)) if present is None else np.flatnonzero(present)
    sorted_words, first, inverse = np.unique(hashes.view(np.uint64)[rows], return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    place = np.full(len(hashes), -1, np.int64)
    place[rows] = rank[inverse]
    return DistinctHashes(sorted_words[order], rows[first[order]], place)


def near_pairs(hashes: np.ndarray, distance: int = 4, present: np.ndarray | None = None) -> NearPairs:
    """All pairs of distinct hashes that differ in at most `distance` of their 64 bits.

    Holds all pairs in memory, 17 bytes each: `components` does not, and is enough to group images.
    """
    distinct = distinct_hashes(hashes, present)
    blocks = list(_blocks(distinct, distance))
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint8))
    left, right, apart = (np.concatenate(column) for column in zip(nothing, *blocks, strict=True))
    order = np.lexsort((right, left))
    return NearPairs(distinct, left[order], right[order], apart[order])


def components(hashes: np.ndarray, distance: int = 4, present: np.ndarray | None = None) -> np.ndarray:
    """[n] int64: the number of each row's component, two rows being joined when their hashes are near.

    Counted from 0 in order of first appearance, as `manyview.corpus.split.components` does. A chain of near hashes
    is one component, though its ends may be far apart.
    """
    distinct = distinct_hashes(hashes, present)
    parent = np.arange(len(distinct.words))
    for left, right, _ in _blocks(distinct, distance, lambda places: _roots(parent, places)):
        _join(parent, left, right)
    roots = _roots(parent, np.arange(len(parent)))
    own = len(roots) + np.arange(len(hashes))
    return _numbered(np.where(distinct.place < 0, own, np.append(roots, -1)[distinct.place]))


def stand_ins(hashes: np.ndarray, distance: int = 4, present: np.ndarray | None = None) -> np.ndarray:
    """[n] int64: the row that may stand for each row: itself, or the first kept row whose hash is near its own.

    Rows are taken in order, and a row is kept when no kept row before it is near: put the best images first. Unlike
    a component's, a stand-in is always within `distance`.
    """
    pairs = near_pairs(hashes, distance, present)
    keeper = _first_kept_neighbor(len(pairs.hashes.words), pairs.left, pairs.right)
    rows = np.append(pairs.hashes.first[keeper], -1)[pairs.hashes.place]
    return np.where(rows < 0, np.arange(len(hashes)), rows)


def near_to(hashes: np.ndarray, held: np.ndarray, distance: int = 4) -> np.ndarray:
    """[n] bool: which hashes are within a distance of any of `held`; both are int64 or uint64."""
    _check(distance)
    if len(hashes) * len(held) <= _COMPARED_PLAINLY:
        return _near_to_plainly(hashes.view(np.uint64), held.view(np.uint64), distance)
    distinct = distinct_hashes(np.concatenate([held.view(np.uint64), hashes.view(np.uint64)]))
    inside = np.zeros(len(distinct.words), bool)
    inside[distinct.place[: len(held)]] = True
    near = inside.copy()
    for left, right, _ in _blocks(distinct, distance):
        near[left[inside[right]]] = True
        near[right[inside[left]]] = True
    of_hashes: np.ndarray = near[distinct.place[len(held) :]]
    return of_hashes


def _near_to_plainly(words: np.ndarray, held: np.ndarray, distance: int) -> np.ndarray:
    near = np.zeros(len(words), bool)
    rows = max(1, _TILE // max(1, len(held)))
    for at in range(0, len(words), rows):
        near[at : at + rows] = (np.bitwise_count(words[at : at + rows, None] ^ held) <= distance).any(axis=1)
    return near


def _check(distance: int) -> None:
    if not 0 <= distance <= FARTHEST:
        raise UsageError(f"a Hamming distance of {distance} is not between 0 and {FARTHEST}")


def _blocks(distinct: DistinctHashes, distance: int, labels: Labels | None = None) -> Iterator[PairBlock]:
    _check(distance)
    return close_pairs(distinct.words, distance, labels)


def _first_kept_neighbor(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Greedy in order: each place's own number if kept, else that of the first kept place it is near."""
    kept = _kept_greedily(count, left, right)
    keeper = np.where(kept, np.arange(count), count)
    stands = kept[left] & ~kept[right]
    np.minimum.at(keeper, right[stands], left[stands])
    return keeper


def _kept_greedily(count: int, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Each round decides every place that has no undecided place before it; the first undecided one is always such."""
    kept, undecided = np.zeros(count, bool), np.ones(count, bool)
    while left.size:
        waits = np.zeros(count, bool)
        waits[right] = True
        kept |= undecided & ~waits
        undecided &= waits
        undecided[right[kept[left]]] = False
        matters = undecided[left] & undecided[right]
        left, right = left[matters], right[matters]
    return kept | undecided


def _join(parent: np.ndarray, left: np.ndarray, right: np.ndarray) -> None:
    """Hang the later root of each pair under the earlier one, until all pairs share a root."""
    while left.size:
        left, right = _roots(parent, left), _roots(parent, right)
        low, high = np.minimum(left, right), np.maximum(left, right)
        apart = low != high
        left, right = low[apart], high[apart]
        parent[right] = left


def _roots(parent: np.ndarray, places: np.ndarray) -> np.ndarray:
    roots: np.ndarray = parent[places]
    while not np.array_equal(above := parent[roots], roots):
        roots = above
    parent[places] = roots
    return roots


def _numbered(labels: np.ndarray) -> np.ndarray:
    """Equal labels get equal numbers, counted from 0 in order of first appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    number = np.empty(len(first), np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    return number[inverse]
