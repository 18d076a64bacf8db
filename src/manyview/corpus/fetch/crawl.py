"""Crawl: URLs stream in, lanes of each host work them off, answers stream into the store."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice

from yarl import URL

from manyview.corpus.fetch.address import filed
from manyview.corpus.fetch.client import Client
from manyview.corpus.fetch.clock import Clock
from manyview.corpus.fetch.connection import open_session
from manyview.corpus.fetch.gatekeeper import Gatekeeper
from manyview.corpus.fetch.host import Hosts
from manyview.corpus.fetch.pause import backoff_s
from manyview.corpus.fetch.reasons import FetchFailure
from manyview.corpus.fetch.report import FetchReport
from manyview.corpus.fetch.rules import FetchRules
from manyview.corpus.fetch.store import Which
from manyview.corpus.fetch.tally import FETCHED, Tally
from manyview.corpus.fetch.writer import StoreWriter
from manyview.errors import TooManyFailuresError

__all__ = ["Crawl", "Progress"]

Progress = Callable[[FetchReport], None]

_CHUNK_URLS = 1000
_THREADS = 64  # names are looked up in threads
_PROGRESS_EVERY_S = 1.0


@dataclass
class _Job:
    key: str
    url: URL
    again: bool  # it failed in an earlier run: that it fails once more says nothing of this one
    outcome: str | None = None


@dataclass
class _Queue:
    jobs: deque[_Job] = field(default_factory=deque)
    lanes: int = 0


class Crawl:
    """One run over a stream of URLs; at most `window` of them are in memory."""

    def __init__(
        self, writer: StoreWriter, rules: FetchRules, clock: Clock, retry: Which | None, progress: Progress | None
    ) -> None:
        self._writer, self._rules, self._clock, self._retry, self._progress = writer, rules, clock, retry, progress
        self._tally = Tally(rules)
        self._queues = dict[str, _Queue]()
        self._pending = set[str]()
        self._window = asyncio.Semaphore(rules.window)
        self._began_s = self._told_s = clock.now_s()

    async def run(self, urls: Iterator[str]) -> FetchReport:
        """Fetch what has no answer yet, or one that `retry` asks to try again."""
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_THREADS, "fetch"))
        hosts = Hosts(self._rules, self._clock)
        async with open_session(self._rules) as session:
            gatekeeper = Gatekeeper(session, hosts, self._writer, self._rules, self._clock)
            client = Client(session, hosts, gatekeeper, self._rules, self._clock, self._writer.folder)
            try:
                async with asyncio.TaskGroup() as lanes:
                    await self._feed(urls, client, lanes)
            except BaseExceptionGroup as group:
                raise self._first_of(group) from None
        return self._tell()

    def _first_of(self, group: BaseExceptionGroup[BaseException]) -> BaseException:
        error = group.exceptions[0]
        if isinstance(error, TooManyFailuresError):
            self._writer.forget_failures_of_this_run()
        return error

    async def _feed(self, urls: Iterator[str], client: Client, lanes: asyncio.TaskGroup) -> None:
        while chunk := await asyncio.to_thread(lambda: list(islice(urls, _CHUNK_URLS))):
            for text in chunk:
                key, url = filed(text)
                answered = self._writer.last(key)
                if key in self._pending or not (answered is None or self._is_tried_again(*answered)):
                    self._tally.known += 1
                    continue
                await self._window.acquire()
                self._pending.add(key)
                self._enqueue(key, url, answered is not None, client, lanes)

    def _is_tried_again(self, run: int, temporary: bool | None) -> bool:
        if temporary is None or run == self._writer.run:
            return False
        return self._retry in {"all", "temporary" if temporary else "permanent"}

    def _enqueue(
        self, key: str, url: URL | FetchFailure, again: bool, client: Client, lanes: asyncio.TaskGroup
    ) -> None:
        if isinstance(url, FetchFailure):
            job = _Job(key, URL(), again)
            self._fail(job, url.reason)
            self._done(job)
            return
        name = url.raw_host or ""
        queue = self._queues.setdefault(name, _Queue())
        queue.jobs.append(_Job(key, url, again))
        if queue.lanes < self._rules.per_host:
            queue.lanes += 1
            lanes.create_task(self._lane(name, queue, client))

    async def _lane(self, name: str, queue: _Queue, client: Client) -> None:
        while queue.jobs:
            job = queue.jobs.popleft()
            await self._work(job, client)
            self._done(job)
        queue.lanes -= 1
        if not queue.lanes:
            del self._queues[name]

    async def _work(self, job: _Job, client: Client) -> None:
        """Try until there is an image, a lasting failure or no attempt left."""
        for attempt in range(self._rules.attempts):
            try:
                image = await client.image(job.url)
            except FetchFailure as failure:
                if failure.final or attempt + 1 == self._rules.attempts:
                    return self._fail(job, failure.reason)
                self._count(job, failure.reason)
                if failure.retry_after_s is None:  # else the host's gate waits
                    await self._clock.sleep(self._backoff_s(attempt, job.key))
            else:
                with image.body:
                    self._tally.bytes += self._writer.add(job.key, image.body, image.media_type)
                return self._count(job, FETCHED)

    def _backoff_s(self, attempt: int, key: str) -> float:
        return backoff_s(self._rules.backoff_s, self._rules.max_wait_s, attempt, self._rules.seed, key)

    def _fail(self, job: _Job, reason: str) -> None:
        self._writer.fail(job.key, reason)
        self._count(job, reason)

    def _count(self, job: _Job, outcome: str) -> None:
        before, job.outcome = job.outcome, outcome
        self._tally.move(before, outcome, judged=not job.again)

    def _done(self, job: _Job) -> None:
        self._pending.discard(job.key)
        self._window.release()
        if self._clock.now_s() - self._told_s >= _PROGRESS_EVERY_S:
            self._tell()

    def _tell(self) -> FetchReport:
        self._told_s = self._clock.now_s()
        report = self._tally.report(self._told_s - self._began_s)
        if self._progress:
            self._progress(report)
        return report
