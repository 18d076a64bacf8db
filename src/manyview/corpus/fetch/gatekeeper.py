"""Gatekeeper: asks each origin for its robots.txt once, and obeys it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

import aiohttp
from yarl import URL

from manyview.corpus.fetch import reasons
from manyview.corpus.fetch.address import canonical, origin_of, target_of
from manyview.corpus.fetch.clock import Clock
from manyview.corpus.fetch.connection import answer
from manyview.corpus.fetch.host import Host, Hosts
from manyview.corpus.fetch.pause import backoff_s, retry_after_s
from manyview.corpus.fetch.reasons import FetchFailure, is_temporary, status_reason
from manyview.corpus.fetch.robots import MAX_ROBOTS_BYTES, Robots, parse_robots
from manyview.corpus.fetch.rules import FetchRules
from manyview.corpus.fetch.writer import StoreWriter

__all__ = ["REDIRECTS", "Gatekeeper"]

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MAX_HOPS = 5  # RFC 9309, 2.3.1.2
_LIFETIME_S = 24 * 3600.0  # RFC 9309, 2.4
_MOST_BYTES = 64 << 20
_PASSED_ON = ("host:", "connection:", "url:")


@dataclass(frozen=True)
class _Known:
    """The rules of an origin, or why they cannot be had: then nothing of it is asked for."""

    asked_s: float
    robots: Robots | str

    @property
    def weight(self) -> int:
        return 200 if isinstance(self.robots, str) else self.robots.weight


class Gatekeeper:
    """Knows what may be asked for. Answers are kept in the store for a day, in memory while they fit."""

    def __init__(
        self, session: aiohttp.ClientSession, hosts: Hosts, writer: StoreWriter, rules: FetchRules, clock: Clock
    ) -> None:
        self._session, self._hosts, self._writer, self._rules, self._clock = session, hosts, writer, rules, clock
        self._known = OrderedDict[str, _Known]()
        self._bytes = 0
        self._asking = dict[str, asyncio.Task[_Known]]()

    async def check(self, url: URL, host: Host) -> None:
        """Raises FetchFailure when the origin's robots.txt forbids the URL or cannot be had."""
        robots = await self._robots(origin_of(url))
        if isinstance(robots, str):
            raise FetchFailure(robots, final=True)
        host.slow_down(robots.crawl_delay_s)
        if not robots.allows(target_of(url)):
            raise FetchFailure(reasons.ROBOTS_DISALLOW)

    async def _robots(self, origin: str) -> Robots | str:
        known = self._known.get(origin)
        if known is not None and self._is_fresh(known.asked_s):
            self._known.move_to_end(origin)
            return known.robots
        if origin not in self._asking:
            self._asking[origin] = asyncio.create_task(self._ask(origin))
        try:
            known = await self._asking[origin]
        finally:
            self._asking.pop(origin, None)
        self._keep(origin, known)
        return known.robots

    def _is_fresh(self, asked_s: float) -> bool:
        return asked_s >= self._clock.since_1970_s() - _LIFETIME_S

    def _keep(self, origin: str, known: _Known) -> None:
        before = self._known.pop(origin, None)
        self._bytes += known.weight - (before.weight if before else 0)
        self._known[origin] = known
        while self._bytes > _MOST_BYTES and len(self._known) > 1:
            self._bytes -= self._known.popitem(last=False)[1].weight

    async def _ask(self, origin: str) -> _Known:
        kept = self._writer.robots(origin)
        if kept is not None and self._is_fresh(kept[0]):
            return _Known(kept[0], parse_robots(kept[1], self._rules.token))
        for attempt in range(self._rules.attempts):
            try:
                body = await self._follow(canonical(f"{origin}/robots.txt"))
            except FetchFailure as failure:
                why = failure.reason if failure.reason.startswith(_PASSED_ON) else reasons.ROBOTS_UNREADABLE
                if failure.final:
                    break
                if failure.retry_after_s is None and attempt + 1 < self._rules.attempts:
                    await self._clock.sleep(self._backoff_s(attempt, origin))
            else:
                self._writer.keep_robots(origin, body, self._clock.since_1970_s())
                return _Known(self._clock.since_1970_s(), parse_robots(body, self._rules.token))
        return _Known(self._clock.since_1970_s(), why)

    def _backoff_s(self, attempt: int, origin: str) -> float:
        return backoff_s(self._rules.backoff_s, self._rules.max_wait_s, attempt, self._rules.seed, origin)

    async def _follow(self, url: URL) -> bytes:
        """The file; empty, so that all is allowed, where there is none."""
        for _ in range(_MAX_HOPS + 1):
            async with (
                self._hosts.using(url.raw_host or "") as host,
                host.turn(),
                answer(self._session, url) as response,
            ):
                if response.status not in REDIRECTS:
                    return await self._read(response)
                location = response.headers.get("Location", "")
            try:
                url = canonical(str(url.join(URL(location))))
            except (FetchFailure, ValueError):
                return b""
        return b""

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        reason = status_reason(response.status)
        if response.status == 429 or response.status >= 500:
            pause_s = retry_after_s(response.headers.get("Retry-After"), self._clock.since_1970_s())
            raise FetchFailure(reason, retry_after_s=pause_s, final=not is_temporary(reason))
        body = bytearray()
        if response.ok:
            async for chunk in response.content.iter_any():
                body += chunk
                if len(body) >= MAX_ROBOTS_BYTES:
                    break
        return bytes(body[:MAX_ROBOTS_BYTES])
