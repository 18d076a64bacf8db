"""Click logs for the tests, and what they come to by the definition, in loops."""

import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus.clicks import ClickLog, ClickReport, query_views
from manyview.corpus.clicks.queries import query_key, tidy

Row = Mapping[str, Any]
DAY = 86_400
START = 1_700_000_000

WORDS = ["red shoes", "Red  Shoes", "RED SHOES ", "blue lamp", "Blue Lamp", "ｂｌｕｅ lamp", "straße", "STRASSE"]
WORDS += ["红色 鞋", "红色\u3000鞋", "ta\u200bble", "table", "café", "cafe\u0301", "x", "generic"]


def random_rows(seed: int, number: int = 400) -> list[Row]:
    """Counted rows with everything a log can have."""
    rng = random.Random(seed)
    rows = list[Row]()
    for _ in range(number):
        shown = rng.choice([1, 1, 2, 5, 0])
        clicks = sum(rng.random() < 0.4 for _ in range(shown)) if shown else 1
        row = {
            "query": rng.choice(WORDS),
            "id": f"image {min(rng.randrange(12), rng.randrange(12))}",
            "impressions": shown,
            "clicks": clicks,
            "time": START + rng.randrange(30 * DAY),
            "position": rng.choice([1, 1, 2, 3, 7, None, 2000]),
            "user": rng.choice([None, *(f"user {i}" for i in range(9))]),
        }
        rows.append(row)
    return rows


def table(rows: Sequence[Row]) -> pa.Table:
    types = {"query": pa.string(), "id": pa.string(), "user": pa.string()}
    names = ("query", "id", "impressions", "clicks", "time", "position", "user")
    return pa.table({name: pa.array([row[name] for row in rows], types.get(name, pa.int64())) for name in names})


def built(log: ClickLog, folder: Path, **options: Any) -> tuple[list[dict[str, Any]], ClickReport]:
    """The views, file after file, and the report."""
    report = query_views(log, folder / "views", folder / "work", **options)
    files = sorted((folder / "views").iterdir())
    assert not list((folder / "work").iterdir())
    return [row for file in files for row in pq.read_table(file).to_pylist()], report


def written(rows: Sequence[Row], folder: Path, **settings: Any) -> ClickLog:
    folder.mkdir(exist_ok=True, parents=True)
    pq.write_table(table(rows), folder / "log.parquet")
    return ClickLog(path=str(folder / "log.parquet"), **settings)


def by_definition(rows: Sequence[Row], log: ClickLog, strength: float) -> tuple[list[dict[str, Any]], Counter[str]]:
    """Views and skipped rows, queries and pairs of a log of counted rows with all columns, examination "rate"."""
    skipped = Counter[str]()
    newest = max(row["time"] for row in rows)
    robots = _robots(rows, log)
    surfaces: dict[str, Counter[str]] = defaultdict(Counter)
    raw = defaultdict[tuple[str, str, int], list[int]](lambda: [0, 0])
    aged = defaultdict[tuple[str, str, int], list[float]](lambda: [0.0, 0.0])
    users = defaultdict[tuple[str, str], set[str]](set)
    for row in rows:
        if row["user"] in robots:
            skipped[robots[row["user"]]] += 1
            continue
        query, image = query_key(row["query"]), row["id"]
        place = -1 if row["position"] is None else min(row["position"], 1000)
        surfaces[query][tidy(row["query"])] += max(row["impressions"], row["clicks"])
        worth = 2 ** (-(newest - row["time"]) / DAY / log.half_life_days) if log.half_life_days else 1.0
        worth = round(worth * 2**20) / 2**20
        for i, name in enumerate(("impressions", "clicks")):
            raw[query, image, place][i] += row[name]
            aged[query, image, place][i] += row[name] * worth
        if row["clicks"] and row["user"] is not None:
            users[query, image].add(row["user"])
    for key, (shown, clicked) in raw.items():
        skipped["pair: more clicks than impressions, taken as shown that often"] += clicked > shown
        raw[key][0] = max(shown, clicked)
        aged[key][0] = max(aged[key])
    theta = _rates(aged)
    return _views(raw, aged, users, surfaces, theta, strength, log, skipped), +skipped


def _robots(rows: Sequence[Row], log: ClickLog) -> dict[str, str]:
    by_hour, shown, clicked = Counter[tuple[str, int]](), Counter[str](), Counter[str]()
    for row in rows:
        if row["user"] is not None:
            by_hour[row["user"], row["time"] // 3600] += row["clicks"]
            shown[row["user"]] += row["impressions"]
            clicked[row["user"]] += row["clicks"]
    found = dict[str, str]()
    for user in shown:
        rate = clicked[user] / max(shown[user], clicked[user], 1)
        if (
            log.max_user_click_rate is not None
            and rate > log.max_user_click_rate
            and clicked[user] >= log.min_user_clicks
        ):
            found[user] = "row: of a user who clicks nearly all that is shown"
    for (user, _), clicks in by_hour.items():
        if log.max_user_clicks_per_hour is not None and clicks > log.max_user_clicks_per_hour:
            found[user] = "row: of a user with too many clicks in an hour"
    return found


def _rates(counts: Mapping[tuple[str, str, int], Sequence[float]]) -> dict[int, float]:
    """The click rate of each position, ten average impressions added, scaled to as many clicks as there are."""
    shown, clicked = Counter[int](), Counter[int]()
    for (_, _, place), (n, c) in counts.items():
        shown[place] += n
        clicked[place] += c
    mean = clicked.total() / shown.total()
    theta = {place: (clicked[place] + 10 * mean) / (shown[place] + 10) for place in shown}
    expected = math.fsum(shown[place] * theta[place] for place in shown)
    return {place: theta[place] * clicked.total() / expected for place in shown}


def _views(
    raw: Mapping[tuple[str, str, int], Sequence[int]],
    aged: Mapping[tuple[str, str, int], Sequence[float]],
    users: Mapping[tuple[str, str], set[str]],
    surfaces: Mapping[str, Counter[str]],
    theta: Mapping[int, float],
    strength: float,
    log: ClickLog,
    skipped: Counter[str],
) -> list[dict[str, Any]]:
    clicks, shown = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    c, e = defaultdict[tuple[str, str], float](float), defaultdict[tuple[str, str], float](float)
    for (query, image, place), (n, clicked) in raw.items():
        clicks[query, image] += clicked
        shown[query, image] += n
        c[query, image] += aged[query, image, place][1]
        e[query, image] += aged[query, image, place][0] * theta[place]
    by_image = defaultdict[str, list[dict[str, Any]]](list)
    for query in {query for query, _ in shown}:
        pairs = [pair for pair in shown if pair[0] == query]
        fans = set[str]().union(*(users.get(pair, set()) for pair in pairs))
        total = sum(clicks[pair] for pair in pairs)
        if total < log.min_query_clicks:
            skipped[f"query: fewer than {log.min_query_clicks} clicks"] += 1
        elif len(fans) < log.min_query_users:
            skipped[f"query: fewer than {log.min_query_users} users"] += 1
        elif sum(clicks[pair] > 0 for pair in pairs) > log.max_query_images:
            skipped[f"query: leads to more than {log.max_query_images:,} images"] += 1
        else:
            most = max(surfaces[query].values())
            text = min(form for form, seen in surfaces[query].items() if seen == most)
            for pair in pairs:
                if clicks[pair] == 0:
                    skipped["pair: never clicked"] += 1
                elif clicks[pair] < log.min_clicks:
                    skipped[f"pair: fewer than {log.min_clicks} clicks"] += 1
                elif len(users.get(pair, set())) < log.min_users:
                    skipped[f"pair: fewer than {log.min_users} users"] += 1
                else:
                    rho = (c[pair] + strength) / (e[pair] + strength)
                    origin = f"clicks:{clicks[pair]}/{shown[pair]}"
                    view = {
                        "id": pair[1],
                        "kind": "query",
                        "text": text,
                        "lang": "",
                        "weight": rho / (1 + rho),
                        "origin": origin,
                    }
                    by_image[pair[1]].append(view)
    views = list[dict[str, Any]]()
    for image in sorted(by_image):
        ordered = sorted(by_image[image], key=lambda view: (-view["weight"], view["text"]))
        skipped[f"pair: below the best {log.top_k} of its image"] += max(0, len(ordered) - log.top_k)
        views += ordered[: log.top_k]
    return views
