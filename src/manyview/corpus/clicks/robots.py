"""Robots: who clicks more than people can."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from manyview.corpus.clicks.columns import Bools, Ints
from manyview.corpus.clicks.groups import starts_of, sums_by
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.reading import Piece, read
from manyview.corpus.clicks.rows import counts
from manyview.corpus.clicks.spill import read_part, write_spill, write_whole
from manyview.corpus.clicks.stages import Result

__all__ = ["REASONS", "bursts", "census", "find_robots", "users_part", "write_robots"]

REASONS = ("row: of a user with too many clicks in an hour", "row: of a user who clicks nearly all that is shown")
_USERS = pa.schema([("user", pa.int64()), ("hour", pa.int64()), ("impressions", pa.int64()), ("clicks", pa.int64())])
_MIN_HOURS = 24  # a shorter log does not say what an ordinary hour is


def census(log: ClickLog, piece: Piece, folder: Path, number: int, parts: int) -> Result:
    """The first and last second of a piece, whether it knows days only, and spills of what users did by the hour."""
    roles = {role: name for role, name in log.columns.items() if role not in ("query", "id")}
    first, last, spills, only_days = list[int](), list[int](), list[str](), True
    for i, batch in enumerate(read(piece, log, roles, Counter())):
        found = counts(batch, log, Counter())
        times = found.time_s[found.good]
        if len(times):
            first.append(int(times.min()))
            last.append(int(times.max()))
            only_days &= not np.any(times % 86_400)
        if log.watches_users:
            good = found.good & found.known_user
            users, user = np.unique(found.user[good], return_inverse=True)
            keys, sums = sums_by([user, found.time_s[good] // 3600], [found.impressions[good], found.clicks[good]])
            table = pa.Table.from_arrays([users[keys[0]], keys[1], *sums], schema=_USERS)
            spills.append(f"users-{number:06d}-{i:06d}.arrow")
            write_spill(folder / spills[-1], table, users_part(users, parts)[keys[0]], parts)
    return {
        "first": min(first, default=None),
        "last": max(last, default=None),
        "only_days": only_days,
        "spills": spills,
    }


def users_part(users: Ints, parts: int) -> Ints:
    """Consecutive numbers of users end up in different parts."""
    mixed = users.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) >> np.uint64(33)
    return (mixed % np.uint64(parts)).astype(np.int64)


def find_robots(log: ClickLog, spills: list[Path], part: int) -> Result:
    """The users of a part that are robots, by which of `REASONS`; the first one holds."""
    table = read_part(spills, part, _USERS)
    users, user = np.unique(table["user"].to_numpy(), return_inverse=True)
    hour, impressions, clicks = (table[name].to_numpy() for name in _USERS.names[1:])
    by_hour, by_rate = np.zeros(len(users), bool), np.zeros(len(users), bool)
    if log.max_user_clicks_per_hour is not None and log.time is not None:
        (who, _), (of_hour,) = sums_by([user, hour], [clicks])
        by_hour[who[of_hour > log.max_user_clicks_per_hour]] = True
    if log.max_user_click_rate is not None and not log.only_clicks:
        _, (shown, clicked) = sums_by([user], [np.maximum(impressions, 0), clicks])
        rate = clicked / np.maximum(np.maximum(shown, clicked), 1)
        by_rate = (rate > log.max_user_click_rate) & (clicked >= log.min_user_clicks)
    return {"robots": [users[by_hour].tolist(), users[by_rate & ~by_hour].tolist()]}


def write_robots(path: Path, found: list[Result]) -> None:
    """One sorted table of all the robots."""
    rows = sorted((user, reason) for result in found for reason in (0, 1) for user in result["robots"][reason])
    table = pa.table(
        {"user": pa.array([u for u, _ in rows], pa.int64()), "reason": pa.array([r for _, r in rows], pa.int64())}
    )
    write_whole(path, table)


def bursts(pair: Ints, hour: Ints, clicks: Ints, log: ClickLog, hours: int) -> Bools:
    """Which rows are of an hour in which a pair was clicked out of all proportion.

    More than `burst_clicks`, and more than `burst_factor` times the mean over the other hours of the log.
    Rows are sorted by pair and hour.
    """
    if hours < _MIN_HOURS or not len(pair):
        return np.zeros(len(pair), bool)
    starts = starts_of([pair, hour])
    of_hour = np.add.reduceat(clicks, starts)
    of_pair = np.bincount(pair[starts], weights=of_hour)[pair[starts]]
    usual = (of_pair - of_hour) / (hours - 1)
    bursting = (of_hour > (log.burst_clicks or 0)) & (of_hour > log.burst_factor * usual)
    return np.repeat(bursting, np.diff(np.append(starts, len(pair))))
