"""Fetching: images named by URL come into a store, politely, once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from manyview.corpus.fetch.clock import Clock, SystemClock
from manyview.corpus.fetch.report import FetchReport
from manyview.corpus.fetch.rules import FetchRules
from manyview.corpus.fetch.store import FetchStore, Which
from manyview.corpus.fetch.writer import StoreWriter

if TYPE_CHECKING:
    from manyview.corpus.fetch.crawl import Progress

__all__ = ["fetch", "retry_failed"]

_PAGE = 1000
_OPEN_FILES = 16_384


def fetch(
    urls: Iterable[str],
    store: FetchStore,
    rules: FetchRules,
    progress: Progress | None = None,
    *,
    retry: Which | None = None,
    clock: Clock | None = None,
) -> FetchReport:
    """Fetch each URL that has no answer in the store, and those that failed as `retry` says.

    The URLs are streamed and may repeat. Killed at any moment, the same call continues. `progress` is told
    about once a second. Raises ManyviewError when too many URLs fail, UsageError when another fetch is
    writing to the store.
    """
    with StoreWriter(store.folder) as writer:
        return _crawl(iter(urls), writer, rules, progress, retry, clock)


def retry_failed(
    store: FetchStore,
    rules: FetchRules,
    which: Which = "temporary",
    progress: Progress | None = None,
    *,
    clock: Clock | None = None,
) -> FetchReport:
    """Only the failures again: those that may pass, those that seemed final, or all. Raises as `fetch` does."""
    with StoreWriter(store.folder) as writer:
        return _crawl(_failed(writer, which), writer, rules, progress, which, clock)


def _crawl(
    urls: Iterator[str],
    writer: StoreWriter,
    rules: FetchRules,
    progress: Progress | None,
    retry: Which | None,
    clock: Clock | None,
) -> FetchReport:
    from manyview.corpus.fetch.crawl import Crawl  # noqa: PLC0415  aiohttp takes 0.3 s that readers do not need

    _allow_open_files()

    async def run() -> FetchReport:
        return await Crawl(writer, rules, clock or SystemClock(), retry, progress).run(urls)

    if not _in_event_loop():
        return asyncio.run(run())
    with ThreadPoolExecutor(1) as beside:  # a notebook has a loop of its own
        return beside.submit(lambda: asyncio.run(run())).result()


def _in_event_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _failed(writer: StoreWriter, which: Which) -> Iterator[str]:
    last = ""
    while page := writer.failed_before(which, last, _PAGE):
        yield from page
        last = page[-1]


def _allow_open_files() -> None:
    """Each connection is an open file, and many systems begin with a limit of 1024."""
    try:
        import resource  # noqa: PLC0415  Windows has none
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
