"""Collect: a piece of the log becomes sums by query, image and position, spilled by query."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from manyview.corpus.clicks.columns import Bools, Ints
from manyview.corpus.clicks.groups import sums_by
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.reading import Piece, read
from manyview.corpus.clicks.robots import REASONS
from manyview.corpus.clicks.rows import Counts, Said, counts, said
from manyview.corpus.clicks.spill import part_of_texts, read_whole, write_spill
from manyview.corpus.clicks.stages import Result

__all__ = ["FIXED", "KINDS", "collect", "measures"]

FIXED = 2**20  # counts that age makes fractional are whole multiples of 1 / FIXED, so that their sums are exact

_PAIRS = [("query", pa.string()), ("image", pa.string()), ("position", pa.int64()), ("hour", pa.int64())]
KINDS = {
    "pairs": pa.schema([*_PAIRS, ("impressions", pa.int64()), ("clicks", pa.int64())]),
    "surfaces": pa.schema([("query", pa.string()), ("surface", pa.string()), ("seen", pa.int64())]),
    "users": pa.schema([("query", pa.string()), ("image", pa.string()), ("user", pa.int64())]),
}


def measures(log: ClickLog) -> pa.Schema:
    """The schema of spilled pairs: with a half-life there are the counts and the aged counts."""
    schema = KINDS["pairs"]
    if log.half_life_days is not None:
        schema = schema.append(pa.field("shown", pa.int64())).append(pa.field("clicked", pa.int64()))
    return schema


def collect(log: ClickLog, piece: Piece, folder: Path, number: int, parts: int, newest_s: int) -> Result:
    """Spills of the piece: pairs, how the queries were written, and who clicked."""
    skipped, rows, spills = Counter[str](), 0, list[str]()
    robots = read_whole(folder / "robots.arrow") if log.watches_users else None
    for i, batch in enumerate(read(piece, log, log.columns, skipped)):
        rows += batch.num_rows
        found = counts(batch, log, skipped)
        words = said(batch, log, found.good, skipped)
        good = np.flatnonzero(_of_people(found, words, robots, skipped))
        name = f"{number:06d}-{i:06d}.arrow"
        part = part_of_texts(words.queries, parts)
        for kind, (query, table) in _tables(log, found, words, good, newest_s).items():
            write_spill(folder / f"{kind}-{name}", table, part[query], parts)
        spills.append(name)
    return {"rows": rows, "skipped": skipped, "spills": spills}


def _of_people(found: Counts, words: Said, robots: pa.Table | None, skipped: Counter[str]) -> Bools:
    good = words.good
    if robots is None or not robots.num_rows:
        return good
    users, reasons = robots["user"].to_numpy(), robots["reason"].to_numpy()
    at = np.minimum(np.searchsorted(users, found.user), len(users) - 1)
    robot: Bools = good & found.known_user & (users[at] == found.user)
    for reason, number in zip(REASONS, np.bincount(reasons[at[robot]], minlength=len(REASONS)).tolist(), strict=True):
        skipped[reason] += number
    return good & ~robot


def _tables(log: ClickLog, found: Counts, words: Said, good: Ints, newest_s: int) -> dict[str, tuple[Ints, pa.Table]]:
    """Kind -> the query of each row, and the rows."""
    surface, image = words.surface[good], words.image[good]
    impressions, clicks = found.impressions[good], found.clicks[good]
    query = words.query_of[surface]
    hour = found.time_s[good] // 3600 if log.watches_bursts else np.zeros(len(good), np.int64)
    values = [impressions, clicks]
    if log.half_life_days is not None:
        age_days = np.maximum(newest_s - found.time_s[good], 0) / 86_400
        worth = np.rint(FIXED * np.exp2(-age_days / log.half_life_days)).astype(np.int64)
        values += [impressions * worth, clicks * worth]
    queries, images, surfaces = words.queries, words.images, words.surfaces
    (q, i, position, hours), sums = sums_by([query, image, found.position[good], hour], values)
    pairs = [queries.take(pa.array(q)), images.take(pa.array(i)), position, hours, *sums]
    (s,), (seen,) = sums_by([surface], [np.maximum(impressions, clicks)])
    of_surface = words.query_of[s]
    written = [queries.take(pa.array(of_surface)), surfaces.take(pa.array(s)), seen]
    tables = {
        "pairs": (q, pa.Table.from_arrays(pairs, schema=measures(log))),
        "surfaces": (of_surface, pa.Table.from_arrays(written, schema=KINDS["surfaces"])),
    }
    if log.user is not None:
        by = (clicks > 0) & found.known_user[good]
        users, user = np.unique(found.user[good][by], return_inverse=True)
        (q, i, u), _ = sums_by([query[by], image[by], user], [])
        clickers = [queries.take(pa.array(q)), images.take(pa.array(i)), users[u]]
        tables["users"] = (q, pa.Table.from_arrays(clickers, schema=KINDS["users"]))
    return tables
