"""Laws of politeness, as the servers see it."""

from __future__ import annotations

from email.utils import formatdate
from pathlib import Path

import pytest
from tests.corpus.fetch.site import Answer, QuickClock, Site, rules, serving

from manyview.corpus.fetch import Failed, Fetched, FetchStore, fetch, reasons, retry_failed

DISALLOW = Answer(b"User-agent: testbot\nDisallow: /no\n")


def reason(store: FetchStore, url: str) -> str | None:
    found = store.find(url)
    assert found is not None
    return found.reason if isinstance(found, Failed) else None


def test_robots_is_asked_once_an_origin_and_before_anything_else(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({"/robots.txt": DISALLOW}) as one, serving({"/robots.txt": DISALLOW}) as other:
        urls = [site.url(f"/{kind}{number}") for number in range(20) for site in (one, other) for kind in ("yes", "no")]
        report = fetch(urls, store, rules(per_host=8))
        for site in (one, other):
            assert site.asked == {"/robots.txt": 1} | {f"/yes{number}": 1 for number in range(20)}
    assert dict(report.counts) == {"fetched": 40, reasons.ROBOTS_DISALLOW: 40}


def test_robots_is_remembered_for_a_day(tmp_path: Path) -> None:
    store, clock = FetchStore(tmp_path), QuickClock()
    with serving({"/robots.txt": DISALLOW}) as site:
        fetch([site.url("/1"), site.url("/no")], store, rules(), clock=clock)
        clock.passed_s += 23 * 3600
        fetch([site.url("/2"), site.url("/no2")], store, rules(), clock=clock)
        assert site.asked["/robots.txt"] == 1
        clock.passed_s += 2 * 3600
        fetch([site.url("/3")], store, rules(), clock=clock)
        assert site.asked["/robots.txt"] == 2
    assert reason(store, site.url("/no2")) == reasons.ROBOTS_DISALLOW


def test_a_run_of_many_days_asks_for_robots_every_day(tmp_path: Path) -> None:
    class SlowDays(QuickClock):
        async def sleep(self, seconds: float) -> None:
            await super().sleep(seconds * 3600)

    with serving() as site:
        urls = [site.url(f"/{number}") for number in range(11)]
        fetch(urls, FetchStore(tmp_path), rules(delay_s=10.0, per_host=1), clock=SlowDays())
        assert site.asked["/robots.txt"] == 4  # 110 hours, asked when 24 have passed, which is every third image


@pytest.mark.parametrize(
    ("robots", "met"),
    [
        (Answer(b"User-agent: *\nDisallow: /", 404), None),
        (Answer(b"User-agent: *\nDisallow: /", 403), None),
        (Answer(b"", 500), reasons.ROBOTS_UNREADABLE),
        (Answer(b"", 429), reasons.ROBOTS_UNREADABLE),
        (Answer(b"", 501), reasons.ROBOTS_UNREADABLE),
        (Answer(hold_s=1.5), reasons.ROBOTS_UNREADABLE),
        (Answer(b"<html>not found</html>"), None),
        (Answer(b"", 301, {"Location": "/rules.txt"}), reasons.ROBOTS_DISALLOW),
        (Answer(b"", 301, {"Location": "/robots.txt"}), None),
        (Answer(b"", 301, {"Location": "mailto:a@b.example"}), None),
        (Answer(b"", 301), None),
        ([Answer(b"", 503), DISALLOW], None),
        (Answer(b"#" * 600_000 + b"\nUser-agent: *\nDisallow: /"), None),
    ],
)
def test_a_robots_that_is_not_there_allows_and_one_that_fails_forbids(
    robots: Answer | list[Answer], met: str | None, tmp_path: Path
) -> None:
    store = FetchStore(tmp_path)
    with serving({"/robots.txt": robots, "/rules.txt": Answer(b"User-agent: *\nDisallow: /a")}) as site:
        fetch([site.url("/a")], store, rules(attempts=2, total_timeout_s=0.6), clock=QuickClock())
        assert reason(store, site.url("/a")) == met
        assert (site.asked["/a"] == 1) is (met is None)


def test_a_robots_that_fails_is_asked_so_often_for_all_urls_and_again_in_the_next_run(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({"/robots.txt": [*[Answer(b"", 500)] * 3, DISALLOW]}) as site:
        urls = [site.url(f"/{number}") for number in range(30)]
        assert fetch(urls, store, rules(attempts=3), clock=QuickClock()).failed == 30
        assert site.asked == {"/robots.txt": 3}
        assert retry_failed(store, rules(), clock=QuickClock()).fetched == 30


def test_the_target_of_a_redirect_is_asked_for_its_robots(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({"/robots.txt": DISALLOW}, host="127.0.0.2") as target:
        moved = {f"/{path}": Answer(b"", 302, {"Location": target.url(f"/{path}")}) for path in ("no", "yes")}
        with serving(moved) as site:
            fetch([site.url("/no"), site.url("/yes")], store, rules())
            assert reason(store, site.url("/no")) == reasons.ROBOTS_DISALLOW
            assert isinstance(store.find(site.url("/yes")), Fetched)
        assert target.asked == {"/robots.txt": 1, "/yes": 1}


def test_own_hosts_are_not_asked_for_permission(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    pages = {"/robots.txt": Answer(b"User-agent: *\nDisallow: /"), "/a": Answer(headers={"X-Robots-Tag": "noai"})}
    with serving(pages) as site:
        assert fetch([site.url("/a")], store, rules(own_hosts=("127.0.0.1",))).fetched == 1
        assert site.asked == {"/a": 1}


def test_the_agent_says_who_asks(tmp_path: Path) -> None:
    with serving() as site:
        fetch([site.url("/a")], FetchStore(tmp_path), rules())
        assert site.user_agents == {"testbot/1.0 (+https://test.example)"}


@pytest.mark.parametrize(("per_host", "concurrency", "most"), [(1, 8, 1), (3, 8, 3), (8, 2, 2)])
def test_a_host_sees_no_more_requests_at_once_than_allowed(
    per_host: int, concurrency: int, most: int, tmp_path: Path
) -> None:
    held = {f"/{number}": Answer(hold_s=0.02) for number in range(24)}
    with serving(held) as site:
        fetch(map(site.url, held), FetchStore(tmp_path), rules(per_host=per_host, concurrency=concurrency))
        assert site.most_at_once == most


def test_all_ports_of_a_host_share_its_limit_and_hosts_do_not(tmp_path: Path) -> None:
    held = {f"/{number}": Answer(hold_s=0.02) for number in range(10)}
    with serving(held) as site, serving(held) as neighbour, serving(held, "127.0.0.2") as stranger:
        together: list[int] = []
        lock = site.lock
        for one in (site, neighbour, stranger):
            one.lock = lock
        urls = [one.url(path) for path in held for one in (site, neighbour, stranger)]
        fetch(urls, FetchStore(tmp_path), rules(per_host=2), progress=lambda report: together.append(report.fetched))
        begun = sorted(site.began_s + neighbour.began_s)
        assert site.most_at_once <= 2 and neighbour.most_at_once <= 2 and stranger.most_at_once == 2
        assert begun[-1] - begun[0] > (20 / 2 - 1) * 0.02
        assert together[-1] == 30


def test_starts_on_a_host_are_apart_by_the_delay(tmp_path: Path) -> None:
    with serving() as site:
        fetch([site.url(f"/{number}") for number in range(5)], FetchStore(tmp_path), rules(delay_s=0.06, per_host=4))
        gaps = [later - earlier for earlier, later in zip(site.began_s, site.began_s[1:], strict=False)]
    assert len(gaps) == 5
    assert sum(gaps) >= 5 * 0.06 - 0.03


@pytest.mark.parametrize(("asked_s", "kept_s"), [(2, 2.0), (500, 30.0)])
def test_a_crawl_delay_is_kept_up_to_the_limit(asked_s: int, kept_s: float, tmp_path: Path) -> None:
    clock = QuickClock()
    with serving({"/robots.txt": Answer(b"User-agent: *\nCrawl-delay: %d" % asked_s)}) as site:
        fetch([site.url(f"/{number}") for number in range(4)], FetchStore(tmp_path), rules(per_host=1), clock=clock)
    assert clock.slept == [kept_s] * 3  # between the images; robots.txt itself set the pace only afterwards


def date_in(clock: QuickClock, seconds: float) -> str:
    return formatdate(clock.since_1970_s() + seconds, usegmt=True)


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_holds_the_whole_host(status: int, as_date: bool, tmp_path: Path) -> None:
    clock = QuickClock()
    busy = Answer(b"", status, {"Retry-After": date_in(clock, 77) if as_date else "77"})
    store = FetchStore(tmp_path)
    with serving({"/a": [busy, Answer()]}) as site:
        report = fetch([site.url("/a"), site.url("/b")], store, rules(attempts=2, per_host=1), clock=clock)
        assert site.asked["/a"] == 2
    assert dict(report.counts) == {"fetched": 2}
    assert clock.slept == [77.0]


def test_a_host_that_asks_for_too_long_a_wait_is_left_for_this_run(tmp_path: Path) -> None:
    store, clock = FetchStore(tmp_path), QuickClock()
    with serving({"/0": Answer(b"", 429, {"Retry-After": "3600"})}) as site, serving(host="127.0.0.2") as other:
        urls = [site.url(f"/{number}") for number in range(10)] + [other.url("/a")]
        report = fetch(urls, store, rules(per_host=1, attempts=3), clock=clock)
        assert site.asked == {"/robots.txt": 1, "/0": 1}
    assert report.counts == {reasons.HOST_ASKS_TO_WAIT: 10, "fetched": 1}
    assert clock.passed_s < 10


def test_waits_grow_between_tries_and_are_the_same_every_time(tmp_path: Path) -> None:
    def slept(site: Site, folder: str) -> list[float]:
        clock = QuickClock()
        fetch([site.url("/a")], FetchStore(tmp_path / folder), rules(attempts=5, backoff_s=2.0), clock=clock)
        return clock.slept

    with serving({"/a": Answer(b"", 500)}) as site:
        waits = slept(site, "one")
        assert slept(site, "other") == waits
        assert site.asked["/a"] == 10
    assert len(waits) == 4
    assert all(2.0 * 2**n * 0.5 <= wait <= 2.0 * 2**n * 1.5 for n, wait in enumerate(waits))


def test_a_failure_that_passes_is_an_image_in_the_end(tmp_path: Path) -> None:
    with serving({"/a": [Answer(b"", 500), Answer(b"", 502), Answer()]}) as site:
        report = fetch([site.url("/a")], FetchStore(tmp_path), rules(attempts=3), clock=QuickClock())
    assert dict(report.counts) == {"fetched": 1}


def test_a_lasting_failure_is_tried_once(tmp_path: Path) -> None:
    with serving({"/a": Answer(b"", 404)}) as site:
        fetch([site.url("/a")], FetchStore(tmp_path), rules(attempts=5), clock=QuickClock())
        assert site.asked["/a"] == 1


def test_a_host_that_breaks_off_again_and_again_is_left(tmp_path: Path) -> None:
    dead = Answer(raw=lambda handler: None)
    with serving({f"/{number}": dead for number in range(30)}) as site:
        urls = [site.url(f"/{number}") for number in range(30)]
        report = fetch(urls, FetchStore(tmp_path), rules(per_host=1, host_failures=5), clock=QuickClock())
        assert sum(site.asked.values()) <= 2 * 5 + 1  # a request on a connection that was kept is sent anew once
    assert report.counts == {reasons.HOST_GIVEN_UP: 25, reasons.CONNECTION_BROKE_OFF: 5}
