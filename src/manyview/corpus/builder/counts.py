"""Counts: of reasons, kinds, languages, as a report gives them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

__all__ = ["ordered", "spoken", "summed"]


def summed(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    return ordered(sum((Counter(dict(of)) for of in counts), Counter[str]()))


def ordered(counts: Mapping[str, int]) -> dict[str, int]:
    """Those that occur, the most frequent first."""
    return {name: count for name, count in sorted(counts.items(), key=lambda one: (-one[1], one[0])) if count}


def spoken(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} ({count:,})" for reason, count in list(ordered(counts).items())[:5]) or "there is none"
