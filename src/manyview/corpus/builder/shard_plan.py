"""Shard plan: which images and texts go into which shard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Plan", "ShardPlan"]


@dataclass(frozen=True)
class ShardPlan:
    """One shard to write, and the files that list its images, its texts and what these score."""

    split: str
    number: int
    images: tuple[str, ...]
    views: tuple[str, ...]
    scores: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All shards, in order, and what was left out on the way."""

    folder: Path
    shards: tuple[ShardPlan, ...]
    skipped: Mapping[str, int]
    ids_apart: int
