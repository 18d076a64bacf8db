"""Laws of pauses."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.fetch.pause import backoff_s, retry_after_s

NOW_S = datetime(2030, 1, 1, tzinfo=UTC).timestamp()


@given(st.integers(-(10**6), 10**6))
def test_a_date_is_as_good_as_seconds(seconds: int) -> None:
    date = format_datetime(datetime.fromtimestamp(NOW_S + seconds, UTC), usegmt=True)
    assert retry_after_s(date, NOW_S) == max(0, seconds)
    assert retry_after_s(f" {abs(seconds)} ", NOW_S) == abs(seconds)


@pytest.mark.parametrize("header", [None, "", "soon", "-3", "1.5", "²", "Fri, 99 Foo 2030", "9999999999999 BC"])
def test_what_says_nothing_is_no_pause(header: str | None) -> None:
    assert retry_after_s(header, NOW_S) is None


def test_a_number_of_any_length_is_a_number() -> None:
    assert retry_after_s("9" * 5000, NOW_S) == 999999999999


@given(st.integers(0, 2000), st.integers(0, 9), st.text(max_size=9))
def test_a_wait_doubles_spreads_and_ends(attempt: int, seed: int, url: str) -> None:
    wait_s = backoff_s(1.0, 60.0, attempt, seed, url)
    assert min(60.0, 0.5 * 2.0 ** min(attempt, 20)) <= wait_s <= min(60.0, 1.5 * 2.0 ** min(attempt, 20))
    assert wait_s == backoff_s(1.0, 60.0, attempt, seed, url)


def test_waits_differ_between_urls_and_seeds() -> None:
    assert len({backoff_s(1.0, 60.0, 0, seed, url) for seed in range(5) for url in "abcde"}) == 25
