"""Hosts: when one may be asked again, how often at once, and when it is left in peace."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from manyview.corpus.fetch import reasons
from manyview.corpus.fetch.clock import Clock
from manyview.corpus.fetch.reasons import FetchFailure
from manyview.corpus.fetch.rules import FetchRules

__all__ = ["Host", "Hosts"]

_NO_CONNECTION = frozenset(
    {
        reasons.CONNECTION_FAILED,
        reasons.CONNECTION_REFUSED,
        reasons.CONNECTION_TIMED_OUT,
        reasons.CONNECTION_BROKE_OFF,
        reasons.ANSWER_TIMED_OUT,
        reasons.HOST_NO_NAME_SERVER,
    }
)


class Host:
    """One host name: all its ports share its limits."""

    def __init__(self, rules: FetchRules, clock: Clock, everywhere: asyncio.Semaphore) -> None:
        self.delay_s = rules.delay_s
        self.users = 0
        self._rules, self._clock, self._everywhere = rules, clock, everywhere
        self._slots = asyncio.Semaphore(rules.per_host)
        self._gate = asyncio.Lock()
        self._next_start_s = clock.now_s()
        self._failures = 0
        self._left: str | None = None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for the host's limits and the common one, holds them, and keeps count of failed connections.

        Raises FetchFailure at once for a host that was left.
        """
        self.check()
        async with self._slots:
            await self._pass_gate()
            try:
                yield
            except FetchFailure as failure:
                self._learn(failure)
                raise
            else:
                self._failures = 0
            finally:
                self._everywhere.release()

    def slow_down(self, crawl_delay_s: float) -> None:
        """Keep the delay that a robots.txt asks for, up to the limit."""
        self.delay_s = max(self.delay_s, min(crawl_delay_s, self._rules.max_crawl_delay_s))

    def check(self) -> None:
        """Raises FetchFailure when the host was left for this run."""
        if self._left:
            raise FetchFailure(self._left, final=True)

    async def _pass_gate(self) -> None:
        async with self._gate:  # starts are apart by the delay, since one passes at a time
            while (wait_s := self._next_start_s - self._clock.now_s()) > 0:
                self.check()
                await self._clock.sleep(wait_s)
            self.check()
            await self._everywhere.acquire()
            self._next_start_s = self._clock.now_s() + self.delay_s

    def _learn(self, failure: FetchFailure) -> None:
        if failure.retry_after_s is not None:
            if failure.retry_after_s > self._rules.max_wait_s:
                self._left = reasons.HOST_ASKS_TO_WAIT
            self._next_start_s = max(self._next_start_s, self._clock.now_s() + failure.retry_after_s)
        self._failures = self._failures + 1 if failure.reason in _NO_CONNECTION else 0
        if self._failures >= self._rules.host_failures:
            self._left = reasons.HOST_GIVEN_UP


class Hosts:
    """The hosts in use and the latest of the others, so that memory does not grow with the web."""

    def __init__(self, rules: FetchRules, clock: Clock, most_idle: int = 20_000) -> None:
        self._rules, self._clock, self._most_idle = rules, clock, most_idle
        self._everywhere = asyncio.Semaphore(rules.concurrency)
        self._used = dict[str, Host]()
        self._idle = OrderedDict[str, Host]()

    @asynccontextmanager
    async def using(self, name: str) -> AsyncIterator[Host]:
        """The host of a name, which is not forgotten meanwhile."""
        host = self._used.get(name) or self._idle.pop(name, None) or Host(self._rules, self._clock, self._everywhere)
        self._used[name] = host
        host.users += 1
        try:
            yield host
        finally:
            host.users -= 1
            if not host.users:
                self._idle[name] = self._used.pop(name)
                if len(self._idle) > self._most_idle:
                    self._idle.popitem(last=False)
