"""Boilerplate: texts that stand with so many images that they say nothing about any of them.

Exact, in bounded memory, in two passes over the views of finished images: the first counts texts in a fixed number
of buckets, which can only count too much; the second counts one by one those whose bucket is full enough. Both
counts of several processes add up.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from pydantic import Field

from manyview.config import Config
from manyview.corpus.cleaning.text_keys import said_keys

__all__ = ["BOILERPLATE", "Boilerplate", "BoilerplateRules", "BucketCounts", "TextCounts", "find_boilerplate"]

BOILERPLATE = "text: stands with too many images"
_BUCKET_BITS = 22


class BoilerplateRules(Config):
    """When a text is boilerplate: on more images than `min_images`, and on more than a share of all with its kind."""

    kinds: tuple[str, ...] = Field(
        ("alt", "caption", "context", "heading", "title"),
        description="kinds of text that should tell images apart; tags and categories need not",
    )
    min_images: int = Field(100, ge=1, description="a text on so many images is never boilerplate")
    max_share: float = Field(0.001, ge=0, le=1, description="share of the kind's texts that one text may make up")

    def limit(self, texts_of_kind: int) -> int:
        """How often a text may stand among so many of its kind."""
        return max(self.min_images, math.floor(self.max_share * texts_of_kind))


@dataclass
class BucketCounts:
    """First pass: how many texts fall into each bucket, and how many there are of each kind."""

    rules: BoilerplateRules
    buckets: np.ndarray = field(default_factory=lambda: np.zeros(1 << _BUCKET_BITS, np.uint32))
    of_kind: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of_few(cls, rules: BoilerplateRules, texts: int) -> BucketCounts:
        """With as few buckets as that many texts in all need, so that little memory is touched and sent about."""
        return cls(rules, np.zeros(1 << min(_BUCKET_BITS, (8 * texts).bit_length()), np.uint32))

    def add(self, views: pa.Table) -> None:
        """Count a table that holds all views of its images."""
        for kind, keys in _keys_by_kind(views, self.rules.kinds).items():
            self.of_kind[kind] += len(keys)
            np.add.at(self.buckets, _bucket(keys, len(self.buckets)), np.uint32(1))

    def merge(self, other: BucketCounts) -> None:
        """Add what another process has counted."""
        self.buckets += other.buckets
        self.of_kind.update(other.of_kind)


@dataclass
class TextCounts:
    """Second pass: how often each text stands whose bucket exceeds its kind's limit."""

    first: BucketCounts
    keys: np.ndarray = field(default_factory=lambda: np.empty(0, np.uint64))
    counts: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))

    def add(self, views: pa.Table) -> None:
        """Count a table that holds all views of its images."""
        for kind, keys in _keys_by_kind(views, self.first.rules.kinds).items():
            full = self.first.buckets[_bucket(keys, len(self.first.buckets))] > self._limit(kind)
            self._add(*np.unique(keys[full], return_counts=True))

    def merge(self, other: TextCounts) -> None:
        """Add what another process has counted."""
        self._add(other.keys, other.counts)

    def boilerplate(self) -> Boilerplate:
        """The texts beyond the limits."""
        limits = {kind: self._limit(kind) for kind in self.first.rules.kinds}
        return Boilerplate(self.keys, self.counts, limits)

    def _limit(self, kind: str) -> int:
        return self.first.rules.limit(self.first.of_kind[kind])

    def _add(self, keys: np.ndarray, counts: np.ndarray) -> None:
        if len(keys):
            self.keys, place = np.unique(np.concatenate([self.keys, keys]), return_inverse=True)
            self.counts = np.bincount(place, np.concatenate([self.counts, counts])).astype(np.int64)


@dataclass(frozen=True)
class Boilerplate:
    """What was found: sorted keys of kind and text, how often each stands, and how often texts of a kind may."""

    keys: np.ndarray
    counts: np.ndarray
    limits: dict[str, int]

    def drop(self, views: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """The views without boilerplate."""
        if not len(self.keys) or not views.num_rows:
            return views, Counter()
        key = said_keys(views, "kind")
        place = np.searchsorted(self.keys, key).clip(0, len(self.keys) - 1)
        times = np.where(self.keys[place] == key, self.counts[place], 0)
        limit = np.array([self.limits.get(kind, np.iinfo(np.int64).max) for kind in views["kind"].to_pylist()])
        stays = times <= limit
        return views.filter(pa.array(stays)), +Counter({BOILERPLATE: int((~stays).sum())})


def find_boilerplate(tables: Iterable[pa.Table], again: Iterable[pa.Table], rules: BoilerplateRules) -> Boilerplate:
    """Both passes in one process; `tables` and `again` give the same views."""
    first = BucketCounts(rules)
    for views in tables:
        first.add(views)
    second = TextCounts(first)
    for views in again:
        second.add(views)
    return second.boilerplate()


def _keys_by_kind(views: pa.Table, kinds: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Of each kind, the keys of its texts, each once an image."""
    of = np.array(views["kind"].to_pylist(), object)
    images, keys = said_keys(views, "kind", "id"), said_keys(views, "kind")
    found = {}
    for kind in kinds:
        rows = np.flatnonzero(of == kind)
        if len(rows):
            found[kind] = keys[rows[np.unique(images[rows], return_index=True)[1]]]
    return found


def _bucket(keys: np.ndarray, count: int) -> np.ndarray:
    return (keys % np.uint64(count)).astype(np.int64)
