"""Texts only: which records without an image a corpus takes, so that none tells training of a held-out one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from manyview.corpus.builder.config import SplitConfig
from manyview.corpus.builder.earlier import Earlier
from manyview.corpus.builder.together import largest_split

__all__ = ["HELD_OUT", "KNOWN", "TextsOnly"]

HELD_OUT = "record: of texts only, of the group or with a text of a held-out record"
KNOWN = "record: of texts only, and the corpus has one of its id"


@dataclass(frozen=True)
class TextsOnly:
    """Chooses records of texts only; all frames are Daft's, and `write` keeps one in files and gives it back.

    They are trained on, because a held-out record is to be found by its image. What is left out is counted in
    `skipped`.
    """

    daft: Any
    write: Callable[[str, Any], Any]
    split: SplitConfig
    earlier: Earlier
    skipped: Counter[str]

    def chosen(self, records: Any, found: Any, placed: Any, views: Any | None) -> Any:
        """The records that no image has the id of, and that nothing ties to a held-out one.

        `found` are all images, `placed` those of the corpus with group and split, `views` the texts of either.
        """
        records = self.write("records", records.join(found.select("id").distinct(), on="id", how="anti"))
        known = self.daft.from_arrow(self.earlier.records.select(["id"]))
        records = self._without("new-records", records, "id", known, KNOWN)
        records = self._without("free-records", records, "group", self._held_groups(placed), HELD_OUT)
        tied = None if views is None else self._with_held_text(records, placed, views)
        return records if tied is None else self._without("untied-records", records, "id", tied, HELD_OUT)

    def _without(self, name: str, records: Any, key: str, others: Any, reason: str) -> Any:
        """The records that have no counterpart among others."""
        left = self.write(name, records.join(others, on=key, how="anti"))
        self.skipped[reason] += records.count_rows() - left.count_rows()
        return left

    def _held_groups(self, placed: Any) -> Any:
        """The groups of held-out records, those of an earlier build too."""
        trained = largest_split(self.split)
        before = sorted(name for name, of in self.earlier.settled().items() if of.split != trained)
        held = placed.where(self.daft.col("split") != trained).select("group")
        return held.concat(self.daft.from_arrow(pa.table({"group": pa.array(before, pa.string())}))).distinct()

    def _with_held_text(self, records: Any, placed: Any, views: Any) -> Any | None:
        """The ids of records of which the same is said as of a held-out one, in the kinds that tie."""
        col, kinds = self.daft.col, list(self.split.together)
        if not kinds:
            return None
        views = views.where(col("kind").is_in(kinds)).select("id", "kind", "said")
        held = placed.where(col("split") != largest_split(self.split)).select("id")
        texts = views.join(held, on="id", how="semi").select("kind", "said").distinct()
        return (
            views.join(records.select("id"), on="id", how="semi")
            .join(texts, on=["kind", "said"])
            .select("id")
            .distinct()
        )
