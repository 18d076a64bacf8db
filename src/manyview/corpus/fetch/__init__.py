"""Fetching images named by URL: politely, once, and so that it can be killed at any moment."""

from manyview.corpus.fetch.pointers import NOT_TRIED, point_to_fetched
from manyview.corpus.fetch.report import FetchReport
from manyview.corpus.fetch.rules import FetchRules
from manyview.corpus.fetch.run import fetch, retry_failed
from manyview.corpus.fetch.store import Failed, Fetched, FetchStore

__all__ = [
    "NOT_TRIED",
    "Failed",
    "FetchReport",
    "FetchRules",
    "FetchStore",
    "Fetched",
    "fetch",
    "point_to_fetched",
    "retry_failed",
]
