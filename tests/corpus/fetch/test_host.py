"""Laws of hosts in memory: those in use stay, the others may go."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.corpus.fetch.site import Answer, QuickClock, rules, serving

from manyview.corpus.fetch import FetchStore, fetch, gatekeeper
from manyview.corpus.fetch.host import Host, Hosts


def test_a_host_in_use_is_one_and_of_the_idle_ones_the_latest_are_kept() -> None:
    async def story() -> None:
        hosts = Hosts(rules(), QuickClock(), most_idle=2)

        async def visit(name: str) -> Host:
            async with hosts.using(name) as host:
                return host

        async with hosts.using("used") as used:
            visited = {name: await visit(name) for name in "abc"}
            assert await visit("used") is used
            assert await visit("c") is visited["c"]
            assert await visit("b") is visited["b"]
            assert await visit("a") is not visited["a"]
        assert await visit("used") is used

    asyncio.run(story())


def test_robots_that_no_longer_fit_into_memory_come_from_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gatekeeper, "_MOST_BYTES", 0)
    robots = {"/robots.txt": Answer(b"User-agent: *\nDisallow: /no")}
    with serving(robots) as one, serving(robots, "127.0.0.2") as other:
        urls = [site.url(f"/{kind}{n}") for n in range(5) for kind in ("yes", "no") for site in (one, other)]
        report = fetch(urls, FetchStore(tmp_path), rules())
        assert one.asked["/robots.txt"] == other.asked["/robots.txt"] == 1
    assert dict(report.counts) == {"fetched": 10, "robots.txt: disallowed": 10}
