"""Laws of what no person does."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.corpus.clicks.logs import START, Row, built, written

HOUR = 3600
LOOSE: dict[str, Any] = {"min_clicks": 1, "min_query_clicks": 1, "min_query_users": 1}


def row(query: str, image: str, user: str | None, hour: int, shown: int = 1, clicks: int = 1) -> Row:
    start = START // HOUR * HOUR
    return {
        "query": query, "id": image, "impressions": shown, "clicks": clicks, "time": start + hour * HOUR,
        "position": None, "user": user,
    }  # fmt: skip


PEOPLE = [row("red shoes", "1", f"person {i}", 10 * i, shown=9, clicks=3) for i in range(8)]


def outcome(rows: Sequence[Row], folder: Path, **settings: Any) -> tuple[dict[str, str], dict[str, int]]:
    views, report = built(written(rows, folder, **(LOOSE | settings)), folder, parts=3)
    return {view["text"]: view["origin"] for view in views}, dict(report.skipped)


@pytest.mark.parametrize("user", ["robot", None])
def test_who_clicks_too_much_in_an_hour_is_out_with_all_rows(tmp_path: Path, user: str | None) -> None:
    busy = [row("buy spam", "2", user, 5, shown=20, clicks=6) for _ in range(10)] + [row("spam", "2", user, 90, 3, 1)]
    settings = {"user": "user", "time": "time", "max_user_clicks_per_hour": 59}
    views, skipped = outcome([*PEOPLE, *busy], tmp_path, **settings)
    if user is None:  # a row without a user accuses nobody
        assert set(views) == {"red shoes"} and "row: of a user with too many clicks in an hour" not in skipped
    else:
        assert views == {"red shoes": "clicks:24/72"}
        assert skipped == {"row: of a user with too many clicks in an hour": 11}
        assert "buy spam" in outcome([*PEOPLE, *busy], tmp_path, **settings | {"max_user_clicks_per_hour": 60})[0]


def test_who_clicks_nearly_everything_is_out(tmp_path: Path) -> None:
    eager = [row("buy spam", "2", "robot", 3 * i) for i in range(50)]
    views, skipped = outcome([*PEOPLE, *eager], tmp_path, user="user")
    assert (set(views), skipped) == ({"red shoes"}, {"row: of a user who clicks nearly all that is shown": 50})
    assert "buy spam" in outcome([*PEOPLE, *eager[1:]], tmp_path, user="user")[0]
    assert "buy spam" in outcome([*PEOPLE, *eager], tmp_path, user="user", max_user_click_rate=None)[0]


def test_without_users_an_hour_out_of_all_proportion_is_out(tmp_path: Path) -> None:
    burst = [row("red shoes", "1", None, 7) for _ in range(60)]
    steady = [row("red shoes", "1", None, hour) for hour in range(100)]
    popular = [row("phone", "2", None, hour) for hour in range(100) for _ in range(60)]
    settings: dict[str, Any] = {"impressions": None, "time": "time"}
    views, skipped = outcome([*burst, *steady, *popular], tmp_path, **settings)
    assert views == {"red shoes": "clicks:99/99", "phone": "clicks:6000/6000"}
    assert skipped == {"row: in a burst of clicks": 61}
    assert "row: in a burst of clicks" not in outcome(burst[1:] + steady, tmp_path, **settings, burst_clicks=60)[1]
    short = [*burst, row("red shoes", "1", None, 8)]
    assert outcome(short, tmp_path, **settings)[1] == {}


def test_a_query_that_was_nothing_but_a_burst_is_gone(tmp_path: Path) -> None:
    rows = [row("spam", "1", None, 7) for _ in range(60)] + [row("phone", "2", None, hour) for hour in range(50)]
    views, skipped = outcome(rows, tmp_path, impressions=None, time="time")
    assert (set(views), skipped) == ({"phone"}, {"row: in a burst of clicks": 60})
