"""Agreement: how much two kinds of text of one record say about each other, beyond chance."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import sqrt

import numpy as np

from manyview.corpus.doctor.tokens import UNSPACED
from manyview.corpus.fingerprint import normalized_text

__all__ = ["Agreement", "agreements", "words"]

MOST_WORDS = 48
_VOCABULARY = 512
_MOST_CHARACTERS = 2_000
_PIECE = re.compile(f"[{UNSPACED}]+|[^\\W_{UNSPACED}]+")
_UNSPACED = re.compile(f"[{UNSPACED}]")

Words = frozenset[str]


@dataclass(frozen=True)
class Agreement:
    """Two kinds at `records` sampled records that have both.

    `shared` is the share of these records where the two have a word in common, `overlap` the mean Jaccard index
    of their words and `overlap_by_chance` that with another record's. `wins` is how often the record's own text
    suits better than another record's, 0.5 being chance, and `margin` three standard errors of it.
    """

    one: str
    other: str
    records: int
    shared: float
    overlap: float
    overlap_by_chance: float
    wins: float
    margin: float

    def by_chance(self, slack: float) -> bool:
        """Whether the two seem to have nothing to do with each other."""
        return self.wins <= 0.5 + max(slack, self.margin)


def words(texts: Sequence[str]) -> Words:
    """The first MOST_WORDS words of some texts; of scripts without spaces, pairs of neighboring characters."""
    found: dict[str, None] = {}
    for text in texts:
        for piece in _PIECE.findall(normalized_text(text[:_MOST_CHARACTERS])):
            parts = [a + b for a, b in pairwise(piece)] or [piece] if _UNSPACED.match(piece) else [piece]
            found.update(dict.fromkeys(parts))
        if len(found) >= MOST_WORDS:
            break
    return frozenset(list(found)[:MOST_WORDS])


def agreements(records: Sequence[Mapping[str, Words]], least: int, seed: int) -> tuple[Agreement, ...]:
    """Every two kinds that at least `least` of the records have both, the pair with most records first."""
    covered = Counter(kind for record in records for kind in record)
    kinds = sorted(kind for kind, _ in covered.most_common(12))
    found = []
    for one, other in combinations(kinds, 2):
        both = [(record[one], record[other]) for record in records if one in record and other in record]
        if len(both) >= least:
            found.append(_agreement(one, other, both, seed))
    return tuple(sorted(found, key=lambda agreement: (-agreement.records, agreement.one, agreement.other)))


def _agreement(one: str, other: str, both: Sequence[tuple[Words, Words]], seed: int) -> Agreement:
    """In a random order, each record is compared with the next one, and the last with the first."""
    order = np.random.default_rng(seed).permutation(len(both))
    a, b = ([both[i][side] for i in order] for side in (0, 1))
    own = np.array([_jaccard(x, y) for x, y in zip(a, b, strict=True)])
    strange = np.array([_jaccard(x, y) for x, y in zip(a, [*b[1:], b[0]], strict=True)])
    suits, suits_not = _association(a, b)
    overlap_first = np.sign(own - strange)
    better = np.where(overlap_first != 0, overlap_first, np.sign(suits - suits_not))
    return Agreement(
        one=one,
        other=other,
        records=len(both),
        shared=float((own > 0).mean()),
        overlap=float(own.mean()),
        overlap_by_chance=float(strange.mean()),
        wins=float(better.mean() / 2 + 0.5),
        margin=3 * float(better.std() / 2) / sqrt(len(both)) if better.any() else 0.0,
    )


def _jaccard(one: Words, other: Words) -> float:
    return len(one & other) / (len(one | other) or 1)


def _association(a: Sequence[Words], b: Sequence[Words]) -> tuple[np.ndarray, np.ndarray]:
    """How well b[i], and b[i + 1], suits a[i]: mean pointwise mutual information of their words.

    Which words go together is learned on the half of the records that is not judged with it, so that
    no record speaks for itself. This hears what overlap is deaf to: a category, another language.
    """
    half = len(a) // 2
    x, y = _presence(a), _presence(b)
    halves = (slice(0, half), slice(half, None))
    suits, suits_not = [], []
    for learned, judged in (halves, halves[::-1]):
        known = _mutual_information(x[learned], y[learned])
        speaks = x[judged] @ known
        own = y[judged]
        strange = np.roll(own, -1, axis=0)
        suits.append(_mean_over_words(speaks, own, x[judged]))
        suits_not.append(_mean_over_words(speaks, strange, x[judged]))
    return np.concatenate(suits[::-1]), np.concatenate(suits_not[::-1])


def _presence(sets: Sequence[Words]) -> np.ndarray:
    """[n, vocabulary] float32, 1 where a record has one of the most frequent words."""
    counts = Counter(word for words in sets for word in words)
    frequent = sorted((word for word, n in counts.items() if n > 1), key=lambda word: (-counts[word], word))
    column = {word: number for number, word in enumerate(frequent[:_VOCABULARY])}
    present = np.zeros((len(sets), len(column)), np.float32)
    for row, words in enumerate(sets):
        present[row, [column[word] for word in words if word in column]] = 1
    return present


def _mutual_information(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """log p(a, b) / p(a) p(b) of every two words, drawn to zero by half an expected and half a seen record."""
    expected = np.outer(x.sum(0), y.sum(0)) / max(1, len(x))
    information: np.ndarray = np.log((x.T @ y + 0.5) / (expected + 0.5))
    return information


def _mean_over_words(speaks: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    pairs = x.sum(1) * y.sum(1)
    total: np.ndarray = (speaks * y).sum(1) / np.maximum(1, pairs)
    return total
