"""Fetching: the images that parts of sources name by URL come into the store of a build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pyarrow.parquet as pq

from manyview.corpus.fetch import FetchReport, FetchRules, FetchStore, fetch
from manyview.errors import UsageError

__all__ = ["fetch_named"]


def fetch_named(
    files: Iterable[str], total: int, rules: FetchRules | None, folder: Path, progress: Callable[[str, int, int], None]
) -> FetchStore:
    """Fetch all URLs of the tables that were not fetched before. Raises UsageError when there are no rules."""
    if rules is None:
        raise UsageError(
            f"{total:,} images are named by URL: say who fetches them, "
            "as in fetch.user_agent='my-corpus/1.0 (+https://example.org/crawler)'"
        )

    def tell(report: FetchReport) -> None:
        progress("fetching images", min(total, report.known + sum(report.counts.values())), total)

    store = FetchStore(folder)
    fetch(_urls(files), store, rules, tell, retry="temporary")
    return store


def _urls(files: Iterable[str]) -> Iterator[str]:
    for file in files:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(columns=["url"]):
                yield from batch["url"].to_pylist()
