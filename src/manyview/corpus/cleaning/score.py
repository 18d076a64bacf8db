"""Scores: image-text pairs that a model finds unlike are left out, below a bound or outside the best share of a kind.

The model is the caller's: a function from views to scores, or a table of scores made before. The bound of a share
is exact, found in two passes by counting scores by the upper and then the lower half of their bits.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field, model_validator

from manyview.config import Config
from manyview.corpus.cleaning.text_keys import said_keys
from manyview.errors import UsageError

__all__ = ["TOO_LOW", "UNSCORED", "ScoreRules", "Scorer", "ShareBounds", "drop_by_score", "scores_from_table"]

Scorer = Callable[[pa.Table], np.ndarray]  # views -> [n] float32, NaN where there is no score
UNSCORED, TOO_LOW = "score: none", "score: too low"
_HALF = 1 << 16


class ScoreRules(Config):
    """Which scores are good enough, by kind of text; kinds that are not named are not judged."""

    table: str | tuple[str, ...] = Field(
        description="Parquet files of id, text, score and, if kinds are scored apart, kind; here or scheme://"
    )
    at_least: dict[str, float] = Field(default_factory=dict, description="kind to the lowest score that stays")
    best_share: dict[str, float] = Field(default_factory=dict, description="kind to the share of best scores that stay")
    keep_unscored: bool = Field(True, description="keep texts without a score")

    @model_validator(mode="after")
    def _one_rule_a_kind(self) -> ScoreRules:
        if not (self.at_least or self.best_share):
            raise ValueError("scores judge no kind of text, allowed: at_least or best_share, as in {caption: 0.3}")
        both = sorted(set(self.at_least) & set(self.best_share))
        if both:
            raise ValueError(f"{both[0]} stands in at_least and in best_share, allowed: one of them")
        wrong = [share for share in self.best_share.values() if not 0 < share <= 1]
        if wrong:
            raise ValueError(f"best_share got {wrong[0]}, allowed: above 0 and at most 1")
        return self


def scores_from_table(table: pa.Table) -> Scorer:
    """A scorer that looks up id, text (or `said`, its `text_keys`) and, if the table has it, kind; `score` is a number.

    Of rows that say the same the last counts. A row without a kind speaks of each kind that has no row of its own.
    Raises UsageError for a missing column.
    """
    needed = ("id", "said" if "said" in table.column_names else "text", "score")
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise UsageError(f"the table of scores lacks {missing[0]!r}, it has {', '.join(table.column_names)}")
    if "kind" not in table.column_names:
        return _looked_up(table, "id")
    of_kind = table["kind"].is_valid()
    own, any_kind = _looked_up(table.filter(of_kind), "id", "kind"), _looked_up(table.filter(pc.invert(of_kind)), "id")

    def score(views: pa.Table) -> np.ndarray:
        found = own(views)
        return np.where(np.isnan(found), any_kind(views), found)

    return score


def _looked_up(table: pa.Table, *columns: str) -> Scorer:
    newest = np.flip(said_keys(table, *columns))
    known, first = np.unique(newest, return_index=True)
    values = np.append(np.flip(table["score"].cast(pa.float32()).to_numpy())[first], np.float32(np.nan))

    def score(views: pa.Table) -> np.ndarray:
        key = said_keys(views, *columns)
        place = np.searchsorted(known, key)
        hit = np.append(known, 0)[place] == key
        return values[np.where(hit & (place < len(known)), place, len(known))]

    return score


@dataclass
class ShareBounds:
    """The lowest score of the best share of each kind: `add` all scores, `narrow`, `add` them again, read `bounds`.

    Memory is half a megabyte a kind; the counts of several processes add up by `merge` before either step.
    """

    shares: dict[str, float]
    counts: dict[str, np.ndarray] = field(default_factory=dict)
    upper: dict[str, tuple[int, int]] | None = None  # kind -> upper half of the bound's bits, how many to skip below it

    def add(self, views: pa.Table, scores: np.ndarray) -> None:
        """Count the scores of some views; NaN does not count."""
        kinds = np.array(views["kind"].to_pylist(), object)
        for kind in self.shares:
            ranks = _ranks(scores[(kinds == kind) & ~np.isnan(scores)])
            halves = ranks >> 16
            if self.upper is not None:
                halves = (ranks & (_HALF - 1))[halves == self.upper.get(kind, (-1, 0))[0]]
            counted = np.bincount(halves, minlength=_HALF)
            self.counts[kind] = self.counts.get(kind, np.zeros(_HALF, np.int64)) + counted

    def merge(self, other: ShareBounds) -> None:
        """Add what another process has counted in the same pass."""
        for kind, counted in other.counts.items():
            self.counts[kind] = self.counts.get(kind, np.zeros(_HALF, np.int64)) + counted

    def narrow(self) -> None:
        """End the first pass."""
        self.upper = {}
        for kind, counted in self.counts.items():
            if total := int(counted.sum()):
                dropped = total - max(1, round(self.shares[kind] * total))
                self.upper[kind] = _select(counted, dropped)
        self.counts = {}

    def bounds(self) -> dict[str, float]:
        """The lowest score that stays, by kind; scores equal to it stay too."""
        if self.upper is None:
            raise ValueError("bounds are known after the second pass")
        return {
            kind: _score_of_rank(half << 16 | _select(self.counts[kind], skip)[0])
            for kind, (half, skip) in self.upper.items()
        }


def drop_by_score(
    views: pa.Table, scores: np.ndarray, rules: ScoreRules, bounds: dict[str, float]
) -> tuple[pa.Table, Counter[str]]:
    """The views whose score is good enough; `bounds` are those of `best_share`."""
    lowest = {**dict.fromkeys(rules.best_share, -np.inf), **rules.at_least, **bounds}
    bound = np.array([lowest.get(kind, -np.inf) for kind in views["kind"].to_pylist()], np.float32)
    judged = np.array([kind in lowest for kind in views["kind"].to_pylist()], bool)
    unscored = judged & np.isnan(scores) & (not rules.keep_unscored)
    low = judged & (scores < bound)
    stays = ~(unscored | low)
    return views.filter(pa.array(stays)), +Counter({UNSCORED: int(unscored.sum()), TOO_LOW: int(low.sum())})


def _ranks(scores: np.ndarray) -> np.ndarray:
    """float32 as integers of 32 bits in the same order."""
    bits = (scores.astype(np.float32) + np.float32(0)).view(np.uint32)  # -0 becomes 0
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.int64)


def _score_of_rank(rank: int) -> float:
    bits = rank & 0x7FFFFFFF if rank >> 31 else ~rank & 0xFFFFFFFF
    return float(np.uint32(bits).view(np.float32))


def _select(counted: np.ndarray, skip: int) -> tuple[int, int]:
    """The bin of the element that has `skip` before it, and how many of these are in its own bin."""
    above = np.cumsum(counted)
    place = int(np.searchsorted(above, skip, side="right"))
    return place, skip - int(above[place] - counted[place])
