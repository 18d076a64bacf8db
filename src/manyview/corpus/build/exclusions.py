"""Exclusions: images and texts that must stay out: of those who opted out, and of evaluation sets."""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from manyview.corpus.build.landing import landing
from manyview.corpus.cleaning.decontaminate import NEAR, EvaluationSet, read_evaluation_sets
from manyview.corpus.cleaning.opt_out import OptOut
from manyview.corpus.cleaning.rules import CleaningRules

__all__ = ["Exclusions", "read_exclusions", "write_exclusions"]


@dataclass(frozen=True)
class Exclusions:
    """Who has opted out, and what is held for evaluation."""

    opt_out: OptOut
    evaluation: EvaluationSet
    distance: int | None

    def images(self, rows: list[dict[str, Any]], skipped: Counter[str]) -> list[dict[str, Any]]:
        """The rows of images that may stay; they have `id`, `url`, `sha256`, `content` and `looks`."""
        near = self._near(rows)
        reasons = [self._reason(row, bool(close)) for row, close in zip(rows, near, strict=True)]
        skipped.update(reason for reason in reasons if reason)
        return [row for row, reason in zip(rows, reasons, strict=True) if reason is None]

    def texts(self, views: pa.Table, skipped: Counter[str]) -> pa.Table:
        """The views whose text is in no evaluation set."""
        if not len(self.evaluation.texts):
            return views
        kept, reasons = self.evaluation.drop_texts(views)
        skipped.update(reasons)
        return kept

    def _near(self, rows: list[dict[str, Any]]) -> np.ndarray:
        near = np.zeros(len(rows), bool)
        hashed = [place for place, row in enumerate(rows) if row["looks"] is not None]
        if self.distance is not None and len(self.evaluation.perceptual) and hashed:
            hashes = np.array([rows[place]["looks"] for place in hashed], np.int64)
            near[hashed] = self.evaluation.near(hashes, self.distance)
        return near

    def _reason(self, row: dict[str, Any], near: bool) -> str | None:
        reason = self.opt_out.reason(row["id"], row["url"], row["sha256"])
        return reason or self.evaluation.image_reason(row["content"], None, None) or (NEAR if near else None)


def write_exclusions(rules: CleaningRules, folder: Path) -> Path:
    """A file with all that the rules name, called after its content. Raises UsageError for a list that is none."""
    found = Exclusions(
        OptOut.read(rules.opt_out), read_evaluation_sets(rules.decontamination), rules.decontamination.distance
    )
    opted = [sorted(of) for of in (found.opt_out.ids, found.opt_out.urls, found.opt_out.domains, found.opt_out.hashes)]
    held = [of.tobytes() for of in (found.evaluation.images, found.evaluation.perceptual, found.evaluation.texts)]
    digest = blake2b(repr((opted, held, found.distance)).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
    file = folder / f"exclusions-{digest}.pickle"
    if not file.is_file():
        with landing(file) as handle:
            pickle.dump(found, handle)
    return file


@lru_cache(2)
def read_exclusions(file: Path) -> Exclusions:
    """What `write_exclusions` has written."""
    found: Exclusions = pickle.loads(file.read_bytes())
    return found
