"""Fetch report: what came of the URLs, counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FetchReport"]


@dataclass(frozen=True)
class FetchReport:
    """What one run did.

    `counts` holds "fetched" and the reasons of the failures, the most frequent first, one per distinct URL
    tried; `known` are rows whose URL had its answer already, from an earlier row or run. `bytes` are those
    of the images filed.
    """

    counts: Mapping[str, int]
    known: int
    bytes: int
    seconds: float

    @property
    def fetched(self) -> int:
        return self.counts.get("fetched", 0)

    @property
    def failed(self) -> int:
        return sum(self.counts.values()) - self.fetched

    def __str__(self) -> str:
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in self.counts.items() if reason != "fetched")
        return (
            f"{self.fetched:,} fetched ({self.bytes / 1e6:,.1f} MB), {self.failed:,} failed"
            f"{f' ({reasons})' if reasons else ''}, {self.known:,} known before, {self.seconds:,.1f} s"
        )
