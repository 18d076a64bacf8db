"""How near the text tower puts a title to its record's tags.

ERNIE-ViL 2.0 shows the title "dinner" moving next to tags such as plates and food. Here that is a
figure: at which ranks do the own tags of held-out titles come among all tags of the corpus, when every
tag that shares a word with the title is taken out? Two levels to beat: a random order, and the most
frequent tags first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from manyview.evaluate.encode import Encoder, encode_texts
from manyview.evaluate.ranks import TIE_TOLERANCE, Features, score_chunks
from manyview.evaluate.relation import Indices
from manyview.evaluate.tags import TagTask
from manyview.evaluate.words import words

TOP = 10


@dataclass(frozen=True)
class TagScores:
    """Means over the titles, as shares.

    `reciprocal_rank` is that of the best placed own tag; `recall_at_10` the share of the own tags among
    the ten nearest.
    """

    reciprocal_rank: float
    recall_at_10: float


@dataclass(frozen=True)
class TitleNeighbors:
    """A title, its nearest tags that share no word with it (True = its own), and all its own tags.

    `rank` is the 0-based rank of the best placed own tag.
    """

    title: str
    nearest: tuple[tuple[str, bool], ...]
    own: tuple[str, ...]
    rank: int


@dataclass(frozen=True)
class NeighborResults:
    """What a model reaches beside a random order and the most frequent tags, over the same titles."""

    model: TagScores
    chance: TagScores
    frequent: TagScores
    titles: int
    vocabulary: int
    examples: tuple[TitleNeighbors, ...]


def tag_neighbors(model: Encoder, task: TagTask, *, examples: int = 12, top: int = 8) -> NeighborResults:
    """Where a model puts the tags of titles it has not seen.

    The examples are the first titles of the task's hashed order, so they are chosen before any model is
    seen and are the same for all.
    """
    titles, tags = encode_texts(model, task.titles), encode_texts(model, task.vocabulary)
    reached, shown = _place(task, titles, tags, examples, top)
    alike = np.ones((len(task.titles), 1), dtype=np.float32)
    frequent, _ = _place(task, alike, task.frequency[:, None].astype(np.float32), 0, top)
    return NeighborResults(
        model=reached,
        chance=chance_scores(task),
        frequent=frequent,
        titles=len(task.titles),
        vocabulary=len(task.vocabulary),
        examples=tuple(shown),
    )


def nearest_tags(model: Encoder, task: TagTask, titles: Sequence[str], *, top: int = 8) -> list[tuple[str, ...]]:
    """The nearest tags of any words, such as "dinner", without those that share a word with them."""
    scores = encode_texts(model, titles) @ encode_texts(model, task.vocabulary).T
    found = []
    for title, row in zip(titles, scores, strict=True):
        ordered = (task.vocabulary[index] for index in np.argsort(-row, kind="stable"))
        found.append(tuple(tag for tag in ordered if not words(tag) & words(title))[:top])
    return found


def chance_scores(task: TagTask) -> TagScores:
    """The expected scores of a random order.

    With t own tags among n, the best comes at 0-based rank r with probability S(r) t / (n - r), where
    S(r) = prod of (n - t - i) / (n - i) over i < r is the probability of none before.
    """
    allowed = len(task.vocabulary) - task.barred.counts
    reciprocal = []
    for n, t in zip(allowed.tolist(), task.own.counts.tolist(), strict=True):
        rank = np.arange(n - t + 1)
        left = n - rank
        none_before = np.concatenate([[1.0], np.cumprod((left - t) / left)[:-1]])
        reciprocal.append(float(np.sum(none_before * t / left / (rank + 1))))
    return TagScores(float(np.mean(reciprocal)), float(np.mean(np.minimum(TOP / allowed, 1.0))))


def _place(
    task: TagTask, titles: Features, tags: Features, examples: int, top: int
) -> tuple[TagScores, list[TitleNeighbors]]:
    reciprocal, recalls, shown = [], [], []
    for start, stop, scores in score_chunks(titles, tags):
        for title, row in zip(range(start, stop), scores, strict=True):
            row[task.barred.row(title)] = -np.inf
            own = task.own.row(title)
            positions = _own_positions(row, own)
            reciprocal.append(1.0 / (1 + positions[0]))
            recalls.append(float(np.mean(positions < TOP)))
            if title < examples:
                shown.append(_example(task, title, row, int(positions[0]), top))
    return TagScores(float(np.mean(reciprocal)), float(np.mean(recalls))), shown


def _own_positions(scores: NDArray[np.float32], own: Indices) -> Indices:
    """0-based places of the own tags in the list, best first; rivals with a tied score come before them."""
    mine = np.sort(scores[own])[::-1]
    rivals = np.sort(np.delete(scores, own))
    before = len(rivals) - np.searchsorted(rivals, mine - TIE_TOLERANCE, side="left")
    return before + np.arange(len(mine), dtype=np.int64)


def _example(task: TagTask, title: int, scores: NDArray[np.float32], rank: int, top: int) -> TitleNeighbors:
    own = set(task.own.row(title).tolist())
    allowed = int(np.count_nonzero(scores > -np.inf))
    order = np.argsort(-scores, kind="stable")[: min(top, allowed)].tolist()
    return TitleNeighbors(
        title=task.titles[title],
        nearest=tuple((task.vocabulary[index], index in own) for index in order),
        own=tuple(task.vocabulary[index] for index in sorted(own)),
        rank=rank,
    )
