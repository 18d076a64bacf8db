"""Report: what a build has made of what it was given."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["BuildReport"]


@dataclass(frozen=True)
class BuildReport:
    """Records of each split, what is said of them, and what was left out: by source, by reason."""

    records: Mapping[str, int]
    shards: int
    texts: Mapping[str, int]
    languages: Mapping[str, int]
    licenses: Mapping[str, int]
    skipped: Mapping[str, Mapping[str, int]]
    texts_only: int = 0  # records without an image
    ids_apart: int = 0  # images called SOURCE/ID, because their id names another image in another source

    @property
    def reasons(self) -> Counter[str]:
        """How often each reason was given, over all sources, the most frequent first."""
        total = sum((Counter(of) for of in self.skipped.values()), Counter[str]())
        return Counter(dict(sorted(total.items(), key=lambda one: (-one[1], one[0]))))

    def as_json(self) -> dict[str, Any]:
        """For manifests and machines."""
        return asdict(self)
