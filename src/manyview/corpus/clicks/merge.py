"""Merge: one part of the queries, all pieces together; here the cut-offs fall."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.clicks.collect import KINDS, measures
from manyview.corpus.clicks.columns import Bools, Ints
from manyview.corpus.clicks.groups import starts_of, sums_by
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.robots import bursts
from manyview.corpus.clicks.rows import DEEPEST
from manyview.corpus.clicks.spill import hashes, read_part, write_whole
from manyview.corpus.clicks.stages import Result

__all__ = ["LABELS", "merge"]

LABELS = DEEPEST + 2  # positions, and one for those that are not known


@dataclass(frozen=True)
class _Sums:
    """Sorted by query, image, position; `queries` and `images` are sorted too."""

    queries: pa.Array
    images: pa.Array
    query: Ints
    image: Ints
    position: Ints
    impressions: Ints
    clicks: Ints
    shown: Ints  # as impressions, in units of 1 / FIXED where age counts
    clicked: Ints


def merge(log: ClickLog, folder: Path, names: list[str], part: int, hours: int, limit: int, sample_rows: int) -> Result:
    """Leaves the pairs that passed, and a sample of all of them to estimate from.

    The sample holds the queries whose hash is below `limit`, which is halved until there are `sample_rows`.
    """
    skipped = Counter[str]()
    sums = _read(log, folder, names, part, hours, skipped)
    pair_starts = starts_of([sums.query, sums.image])
    kept = _passing(log, folder, names, part, sums, pair_starts, skipped)
    rows = np.repeat(kept, np.diff(np.append(pair_starts, len(sums.query))))
    surfaces = read_part(_spills(folder, "surfaces", names), part, KINDS["surfaces"])
    write_whole(folder / f"merged-{part:06d}.arrow", _passed(sums, rows, surfaces))
    limit = _write_sample(folder / f"sample-{part:06d}.arrow", sums, pair_starts, limit, sample_rows)
    return {
        "shown": _totals(sums.position, sums.shown),
        "clicked": _totals(sums.position, sums.clicked),
        "queries": len(sums.queries),
        "pairs": len(pair_starts),
        "limit": limit,
        "skipped": skipped,
    }


def _totals(position: Ints, counts: Ints) -> list[int]:
    (places,), (sums,) = sums_by([position], [counts])
    totals = np.zeros(LABELS, np.int64)
    totals[places] = sums
    return totals.tolist()


def _spills(folder: Path, kind: str, names: list[str]) -> list[Path]:
    return [folder / f"{kind}-{name}" for name in names]


def _coded(column: pa.ChunkedArray) -> tuple[Ints, pa.Array]:
    """Codes into the sorted values."""
    coded = column.dictionary_encode().combine_chunks()
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.chunk(0) if coded.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    order = pc.sort_indices(coded.dictionary).to_numpy()
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return rank[coded.indices.to_numpy()], coded.dictionary.take(pa.array(order))


def _read(log: ClickLog, folder: Path, names: list[str], part: int, hours: int, skipped: Counter[str]) -> _Sums:
    table = read_part(_spills(folder, "pairs", names), part, measures(log))
    query, queries = _coded(table["query"])
    image, images = _coded(table["image"])
    position, hour = table["position"].to_numpy(), table["hour"].to_numpy()
    values = [table[name].to_numpy() for name in measures(log).names[4:]]
    if log.watches_bursts:
        (query, image, hour, position), values = sums_by([query, image, hour, position], values)
        burst = bursts(query * (len(images) + 1) + image, hour, values[1], log, hours)
        skipped["row: in a burst of clicks"] += int(values[0][burst].sum())
        query, image, position = query[~burst], image[~burst], position[~burst]
        values = [value[~burst] for value in values]
    (query, image, position), values = sums_by([query, image, position], values)
    impressions, clicks = values[:2]
    shown, clicked = values[2:] if log.half_life_days is not None else values
    if log.only_clicks:
        impressions, shown = (_by_query(query, of) for of in (clicks, clicked))
    raised = clicks > impressions
    skipped["pair: more clicks than impressions, taken as shown that often"] += int(np.count_nonzero(raised))
    impressions, shown = np.maximum(impressions, clicks), np.maximum(shown, clicked)
    return _Sums(queries, images, query, image, position, impressions, clicks, shown, clicked)


def _by_query(query: Ints, clicks: Ints) -> Ints:
    """For each row the clicks of its query: each is taken for a page on which all its images were shown."""
    starts = starts_of([query])
    if not len(starts):
        return clicks
    return np.repeat(np.add.reduceat(clicks, starts), np.diff(np.append(starts, len(query))))


def _passing(
    log: ClickLog, folder: Path, names: list[str], part: int, sums: _Sums, starts: Ints, skipped: Counter[str]
) -> Bools:
    """Which pairs stay; queries that go are counted as such, and their pairs are not."""
    query, image = sums.query[starts], sums.image[starts]
    clicks = np.add.reduceat(sums.clicks, starts) if len(starts) else sums.clicks
    number = len(sums.queries)
    of_query = np.bincount(query, weights=clicks, minlength=number)
    images = np.bincount(query, weights=clicks > 0, minlength=number)
    query_checks = {f"query: fewer than {log.min_query_clicks} clicks": of_query < log.min_query_clicks}
    pair_checks = {
        "pair: never clicked": clicks == 0,
        f"pair: fewer than {log.min_clicks} clicks": clicks < log.min_clicks,
    }
    if log.user is not None:
        query_users, pair_users = _users(folder, names, part, sums, query, image)
        query_checks[f"query: fewer than {log.min_query_users} users"] = query_users < log.min_query_users
        pair_checks[f"pair: fewer than {log.min_users} users"] = pair_users < log.min_users
    query_checks[f"query: leads to more than {log.max_query_images:,} images"] = images > log.max_query_images
    there = np.bincount(query, minlength=number) > 0  # a burst may have been all of a query
    good_query = _checked(there, query_checks, skipped)
    return _checked(good_query[query], pair_checks, skipped)


def _checked(left: Bools, checks: dict[str, Bools], skipped: Counter[str]) -> Bools:
    for reason, bad in checks.items():
        skipped[reason] += int(np.count_nonzero(left & bad))
        left = left & ~bad
    return left


def _users(folder: Path, names: list[str], part: int, sums: _Sums, query: Ints, image: Ints) -> tuple[Ints, Ints]:
    """Different users who clicked, by query and by pair."""
    table = read_part(_spills(folder, "users", names), part, KINDS["users"])
    q = np.asarray(pc.index_in(table["query"], sums.queries)).astype(np.int64)
    i = np.asarray(pc.index_in(table["image"], sums.images)).astype(np.int64)
    user = np.unique(table["user"].to_numpy(), return_inverse=True)[1]
    (once, _), _ = sums_by([q, user], [])
    (of_query, of_image, _), _ = sums_by([q, i, user], [])
    width = len(sums.images) + 1
    pairs = query * width + image
    at = np.searchsorted(pairs, of_query * width + of_image)  # where it is: who clicked was shown it
    return np.bincount(once, minlength=len(sums.queries)), np.bincount(at, minlength=len(pairs))


def _shown_as(queries: pa.Array, surfaces: pa.Table) -> pa.Array:
    """How each query was written most often; the first in the alphabet of those."""
    of_query = pc.index_in(surfaces["query"], queries)
    code, written = _coded(surfaces["surface"].filter(of_query.is_valid()))
    query = np.asarray(of_query.drop_null()).astype(np.int64)
    seen = surfaces["seen"].filter(of_query.is_valid()).to_numpy()
    (query, code), (seen,) = sums_by([query, code], [seen])
    order = np.lexsort((code, -seen, query))
    return written.take(pa.array(code[order][starts_of([query[order]])]))


def _passed(sums: _Sums, rows: Bools, surfaces: pa.Table) -> pa.Table:
    queries, query = np.unique(sums.query[rows], return_inverse=True)
    texts = _shown_as(sums.queries.take(pa.array(queries)), surfaces)
    image = pa.array(sums.image[rows])
    numbers = {name: getattr(sums, name)[rows] for name in ("position", "impressions", "clicks", "shown", "clicked")}
    return pa.table({"text": texts.take(pa.array(query)), "id": sums.images.take(image), **numbers})


def _write_sample(path: Path, sums: _Sums, pair_starts: Ints, limit: int, sample_rows: int) -> int:
    of_row = hashes(sums.queries).astype(np.int64)[sums.query]
    while np.count_nonzero(of_row < limit) > sample_rows:
        limit //= 2
    rows = np.flatnonzero(of_row < limit)
    pair = np.repeat(np.arange(len(pair_starts)), np.diff(np.append(pair_starts, len(sums.query))))[rows]
    numbers = {"position": sums.position[rows], "shown": sums.shown[rows], "clicked": sums.clicked[rows]}
    ids = sums.images.take(pa.array(sums.image[rows]))
    write_whole(path, pa.table({"hash": of_row[rows], "pair": pair, "id": ids, **numbers}))
    return limit
