"""How far down the list the first right answer is: ranks, and the recalls made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from manyview.errors import DataError
from manyview.evaluate.relation import Indices, Relation

Features = NDArray[np.float32]
ScoreChunk = tuple[int, int, Features]
"""(start, stop, scores [stop - start, gallery]) of the queries start..stop"""

TIE_TOLERANCE = 1e-6
"""Scores closer than this count as tied: rounding of a float32 dot product of unit vectors."""
CHUNK_BYTES = 64 << 20


def best_ranks(
    queries: Features,
    gallery: Features,
    truths: Relation,
    *,
    present: NDArray[np.bool_] | None = None,
    tolerance: float = TIE_TOLERANCE,
    chunk_bytes: int = CHUNK_BYTES,
) -> Indices:
    """The 0-based rank of the best placed right item of each query [queries].

    It is the number of wrong gallery items whose score reaches that of the best right item. So ties
    count against the model: one that gives everything the same features ranks last, not first. Other
    right items never count. Scores are dot products of the rows; at most `chunk_bytes` of them exist
    at once. Gallery items that are not `present` score less than any other. Raises DataError when features are not
    finite or when a query has no right item.
    """
    chunks = score_chunks(queries, gallery, chunk_bytes)
    return ranks_by_score(chunks if present is None else _without(chunks, ~present), truths, tolerance=tolerance)


def ranks_by_score(chunks: Iterable[ScoreChunk], truths: Relation, *, tolerance: float = TIE_TOLERANCE) -> Indices:
    """The same by scores of any kind, of which -inf is the least; they are overwritten."""
    require_answers(truths)
    ranks = np.empty(len(truths), dtype=np.int64)
    for start, stop, scores in chunks:
        chunk = truths.select(start, stop)
        rows, columns = chunk.pairs()
        best = np.maximum.reduceat(scores[rows, columns], chunk.offsets[:-1])
        scores[rows, columns] = np.nan
        ranks[start:stop] = np.count_nonzero(scores >= (best - tolerance)[:, None], axis=1)
    return ranks


def require_answers(truths: Relation) -> None:
    """Raise DataError when a query has no right item."""
    if not np.all(truths.counts > 0):
        query = int(np.argmin(truths.counts))
        raise DataError(f"query {query} has no right item in the gallery; every query needs at least one")


def nearest(queries: Features, gallery: Features, top: int, *, chunk_bytes: int = CHUNK_BYTES) -> Indices:
    """Gallery positions of the `top` highest scores of each query, best first [queries, top].

    Equal scores are listed in gallery order.
    """
    top = min(top, len(gallery))
    found = np.empty((len(queries), top), dtype=np.int64)
    for start, stop, scores in score_chunks(queries, gallery, chunk_bytes):
        found[start:stop] = np.argsort(-scores, axis=1, kind="stable")[:, :top]
    return found


def recall_at(ranks: Indices, k: int) -> float:
    """Share of queries with a right item among the first k."""
    return float(np.mean(ranks < k))


def mean_reciprocal_rank(ranks: Indices) -> float:
    """Mean of one over the rank, counted from 1."""
    return float(np.mean(1.0 / (1.0 + ranks)))


def median_rank(ranks: Indices) -> float:
    """The median rank counted from 1, as papers print it."""
    return float(np.median(ranks)) + 1.0


def chance_recall_at(gallery: int, truths: Indices, k: int) -> float:
    """Recall at k of a random order, for queries with `truths` right items each [queries].

    A query with t right items among g misses with the hypergeometric probability
    C(g - t, k) / C(g, k), the product of (g - t - i) / (g - i) over i < k.
    """
    drawn = np.arange(min(k, gallery))
    remaining = np.maximum(gallery - np.asarray(truths)[:, None] - drawn, 0)
    missed = np.prod(remaining / (gallery - drawn), axis=1)
    return float(np.mean(1.0 - missed))


def score_chunks(queries: Features, gallery: Features, chunk_bytes: int = CHUNK_BYTES) -> Iterator[ScoreChunk]:
    """All scores, a run of queries at a time.

    The scores belong to the caller, who may overwrite them.

    Raises DataError when features are not finite.
    """
    for name, features in (("query", queries), ("gallery", gallery)):
        if not np.all(np.isfinite(features)):
            raise DataError(f"the {name} features hold NaN or infinity; this model cannot be ranked")
    keys = gallery.T
    for start, stop in chunk_bounds(len(queries), len(gallery), chunk_bytes):
        yield start, stop, queries[start:stop] @ keys


def chunk_bounds(queries: int, gallery: int, chunk_bytes: int = CHUNK_BYTES) -> Iterator[tuple[int, int]]:
    """(start, stop) of runs of queries whose float32 scores of the whole gallery take at most `chunk_bytes`."""
    size = max(1, chunk_bytes // max(1, 4 * gallery))
    for start in range(0, queries, size):
        yield start, min(start + size, queries)


def _without(chunks: Iterable[ScoreChunk], absent: NDArray[np.bool_]) -> Iterator[ScoreChunk]:
    for start, stop, scores in chunks:
        scores[:, absent] = -np.inf
        yield start, stop, scores
