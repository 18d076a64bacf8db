"""Laws of a run: once per URL, resumable, bounded, judged early."""

from __future__ import annotations

import asyncio
import errno
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.corpus.fetch.site import Answer, QuickClock, image, rules, serving

from manyview.corpus.fetch import Fetched, FetchReport, FetchStore, fetch, retry_failed
from manyview.errors import ManyviewError, UsageError


def numbered(count: int, **kind: float) -> dict[str, Answer]:
    return {f"/{number}": Answer(image(number), **kind) for number in range(count)}


def test_each_image_arrives_as_it_was_sent(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    pages = numbered(30) | {"/large": Answer(image(99, 3 << 20))}
    with serving(pages) as site:
        report = fetch([site.url(path) for path in pages], store, rules(per_host=8))
        for path, answer in pages.items():
            found = store.find(site.url(path))
            assert isinstance(found, Fetched) and found.read() == answer.body
    assert report.bytes == sum(len(answer.body) for answer in pages.values())
    assert {file.name for file in tmp_path.iterdir()} == {"index.sqlite", "lock.sqlite", "segment-000000.bin"}


def test_rows_that_repeat_a_url_cost_one_request(tmp_path: Path) -> None:
    with serving() as site:
        urls = [site.url("/a"), site.url("/a#part"), site.url("/x/../a"), site.url("/b")] * 3
        report = fetch(urls, FetchStore(tmp_path), rules())
        assert site.asked == {"/robots.txt": 1, "/a": 1, "/b": 1}
    assert (report.fetched, report.known) == (2, 10)


def test_the_result_does_not_depend_on_the_order_of_urls_or_answers(tmp_path: Path) -> None:
    pages = numbered(20) | {f"/gone{number}": Answer(b"", 404) for number in range(5)}
    pages = {
        path: Answer(page.body, page.status, hold_s=0.01 * (place % 3))
        for place, (path, page) in enumerate(pages.items())
    }
    with serving(pages) as site:
        found = []
        for seed in range(2):
            urls = random.Random(seed).sample([site.url(path) for path in pages], len(pages))
            store = FetchStore(tmp_path / str(seed))
            report = fetch(urls, store, rules(per_host=6))
            answers = {url: store.find(url) for url in urls}
            found.append(
                ({url: one.read() if isinstance(one, Fetched) else one for url, one in answers.items()}, report.counts)
            )
            store.close()
    assert found[0] == found[1]


def test_a_second_run_asks_for_nothing(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({"/gone": Answer(b"", 404), "/down": Answer(b"", 500)}) as site:
        urls = [site.url(path) for path in ("/a", "/gone", "/down")]
        fetch(urls, store, rules())
        before = site.asked.copy()
        report = fetch(urls, store, rules())
        assert site.asked == before
    assert (dict(report.counts), report.known) == ({}, 3)


@pytest.mark.parametrize(
    ("which", "again"), [("temporary", {"/down"}), ("permanent", {"/gone"}), ("all", {"/down", "/gone"})]
)
@pytest.mark.parametrize("by_list", [False, True])
def test_only_the_failures_asked_for_are_tried_again(
    which: str, again: set[str], by_list: bool, tmp_path: Path
) -> None:
    store = FetchStore(tmp_path)
    with serving({"/gone": [Answer(b"", 404), Answer()], "/down": [Answer(b"", 500), Answer()]}) as site:
        urls = [site.url(path) for path in ("/a", "/gone", "/down")] + ["nonsense"]
        fetch(urls, store, rules())
        before = site.asked.copy()
        report = fetch(urls * 2, store, rules(), retry=which) if by_list else retry_failed(store, rules(), which)
        assert site.asked - before == dict.fromkeys(again, 1)
    assert report.fetched == len(again)


def test_a_failure_that_repeats_is_tried_once_a_run(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({f"/{number}": Answer(b"", 500) for number in range(5)}) as site:
        urls = [site.url(f"/{number}") for number in range(5)]
        fetch(urls, store, rules())
        assert retry_failed(store, rules()).failed == 5
        assert {site.asked[f"/{number}"] for number in range(5)} == {2}


def test_failures_tried_again_are_not_judged_and_not_lost(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    with serving({f"/{number}": Answer(b"", 500) for number in range(30)}) as site:
        urls = [site.url(f"/{number}") for number in range(30)]
        fetch(urls, store, rules())
        assert retry_failed(store, rules(stop_after=5, max_failure_share=0.1)).failed == 30
    assert store.counts() == {"http status 500": 30}


def test_urls_are_drawn_no_further_than_the_window(tmp_path: Path) -> None:
    drawn = fetched = 0
    ahead = list[int]()

    def urls() -> Iterator[str]:
        nonlocal drawn
        for number in itertools.count():
            if number == 6000:
                return
            drawn += 1
            yield f"nonsense {number}" if number % 100 else site.url(f"/{number}")

    def look(report: FetchReport) -> None:
        nonlocal fetched
        fetched = report.fetched
        ahead.append(drawn - sum(report.counts.values()))

    class Hasty(QuickClock):
        """A second passes at each look, so that progress is told after each URL."""

        def now_s(self) -> float:
            self.passed_s += 1
            return self.passed_s

    with serving() as site:
        limits = rules(window=10, concurrency=4, max_failure_share=1.0)
        fetch(urls(), FetchStore(tmp_path), limits, progress=look, clock=Hasty())
    assert fetched == 60
    assert max(ahead) <= 1000 + 10


@pytest.mark.parametrize("status", [404, 500])
def test_a_fetch_in_which_nearly_all_fails_stops_and_says_why(status: int, tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    drawn = itertools.count()
    with serving({f"/{number}": Answer(b"", status) for number in range(1, 5000)}) as site:
        urls = (site.url(f"/{next(drawn)}") for _ in range(5000))
        limits = rules(stop_after=50, max_failure_share=0.5, attempts=5, window=200, concurrency=8, per_host=8)
        fetch([site.url("/0")], store, limits)
        with pytest.raises(ManyviewError) as stopped:
            fetch(urls, store, limits, clock=QuickClock())
        assert sum(site.asked.values()) < 500
    assert f"50 of the first 50 URLs failed, allowed: a share of 0.5; reasons: http status {status} (50)" in str(
        stopped.value
    )
    assert store.counts() == {"fetched": 1}


def test_a_share_of_failures_that_is_allowed_does_not_stop(tmp_path: Path) -> None:
    with serving({f"/{number}": Answer(b"", 404) for number in range(30)}) as site:
        urls = [site.url(f"/{number}") for number in range(60)]
        report = fetch(
            urls[30:] + urls[:30], FetchStore(tmp_path), rules(stop_after=20, max_failure_share=0.5, per_host=1)
        )
    assert report.failed == report.fetched == 30


def test_failures_that_pass_do_not_stop(tmp_path: Path) -> None:
    flaky = {f"/{number}": [Answer(b"", 500), Answer()] for number in range(40)}
    with serving(flaky) as site:
        limits = rules(stop_after=20, max_failure_share=0.5, attempts=2, per_host=1)
        assert fetch(map(site.url, flaky), FetchStore(tmp_path), limits, clock=QuickClock()).fetched == 40


def test_an_error_of_the_list_itself_is_not_hidden(tmp_path: Path) -> None:
    def urls() -> Iterator[str]:
        yield "http://127.0.0.1:1/"
        raise UsageError("the list ends in the middle")

    with pytest.raises(UsageError, match="the list ends in the middle"):
        fetch(urls(), FetchStore(tmp_path), rules())


def test_a_full_disk_stops_the_fetch_and_what_was_fetched_stays(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    store = FetchStore(tmp_path)
    pages = {f"/{number}": Answer(image(number, 50_000)) for number in range(20)}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    with serving(pages) as site:
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, limits[1]))
        try:
            with pytest.raises(ManyviewError, match=r"cannot write .*segment-000000.bin: File too large"):
                fetch(map(site.url, pages), store, rules())
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert store.counts() == {"fetched": 10}
        report = fetch(map(site.url, pages), store, rules())
    assert (report.fetched, report.known) == (10, 10)
    for path, answer in pages.items():
        found = store.find(site.url(path))
        assert isinstance(found, Fetched) and found.read() == answer.body


def test_a_lack_of_open_files_stops_the_fetch_and_blames_no_url(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from manyview.corpus.fetch import connection

    def full(address_info: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    store = FetchStore(tmp_path)
    monkeypatch.setattr(connection, "_public_socket", full)
    with serving() as site:
        with pytest.raises(ManyviewError, match="fetching stopped: Too many open files"):
            fetch([site.url("/1"), site.url("/2")], store, rules(allow_private=False))
        assert store.counts() == {}


def test_a_fetch_can_be_started_from_within_an_event_loop(tmp_path: Path) -> None:
    async def cell(url: str) -> FetchReport:
        return fetch([url], FetchStore(tmp_path), rules())

    with serving() as site:
        assert asyncio.run(cell(site.url("/a"))).fetched == 1


CHILD = """
import sys
from manyview.corpus.fetch import FetchStore, fetch
from tests.corpus.fetch.site import rules

fetch((f"http://127.0.0.1:{sys.argv[2]}/{n}" for n in range(240)), FetchStore(sys.argv[1]), rules(per_host=4))
"""


def test_a_fetch_that_is_killed_again_and_again_asks_for_nothing_twice_that_it_has(tmp_path: Path) -> None:
    store = FetchStore(tmp_path)
    pages = numbered(240, hold_s=0.005)
    had = set[str]()
    with serving(pages) as site:
        command = [sys.executable, "-c", CHILD, str(tmp_path), str(site.port)]
        for wanted in (40, 120):
            child = subprocess.Popen(command, env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)})
            while sum(site.asked.values()) < wanted and child.poll() is None:
                time.sleep(0.005)
            child.send_signal(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
            had = {path for path in pages if isinstance(found := store.find(site.url(path)), Fetched) and found.read()}
            assert 0 < len(had) < 240
            times = {path: site.asked[path] for path in had}
            store.close()
        report = fetch(map(site.url, pages), store, rules(per_host=4))
        assert {path: site.asked[path] for path in had} == times
        assert max(site.asked.values()) <= 3
        assert site.asked["/robots.txt"] == 1
        assert (report.fetched, report.known) == (240 - len(had), len(had))
        for path, answer in pages.items():
            found = store.find(site.url(path))
            assert isinstance(found, Fetched) and found.read() == answer.body
