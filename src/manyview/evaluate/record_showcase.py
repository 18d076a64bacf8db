"""Held-out queries with the records that a model finds for them, and how near each part of a record is to the query."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manyview.corpus import Corpus
from manyview.evaluate.galleries import Task
from manyview.evaluate.queries import DEFAULT_LANG, texts_of
from manyview.evaluate.ranks import best_ranks
from manyview.evaluate.record_retrieval import EncodedRecords
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.relation import Indices
from manyview.evaluate.showcase import MISSED_BEYOND, Choice, choice_thumbnails, choose
from manyview.model.record_vector import IMAGE

__all__ = ["RecordHit", "ShownSearch", "in_reading_order", "record_showcase"]


@dataclass(frozen=True)
class RecordHit:
    """A record as the report shows it: `views` holds the cosine of the query with each part that answers.

    `thumbnail` is an encoded image, empty where the record has none.
    """

    title: str
    thumbnail: bytes
    views: Mapping[str, float]
    correct: bool = False


@dataclass(frozen=True)
class ShownSearch:
    """A query and the records found for it.

    Of a held-out query `rank` is the 0-based rank of the best placed right record among `gallery`, `other_rank` that of
    another model, and `truth` a right record; a query of nobody's has none of these.
    """

    text: str
    query_kind: str
    lang: str
    source: str
    gallery: int
    hits: tuple[RecordHit, ...]
    rank: int | None = None
    other_rank: int | None = None
    truth: RecordHit | None = None

    @property
    def missed(self) -> bool:
        """Whether no right record is among the first."""
        return self.rank is not None and self.rank >= MISSED_BEYOND


def record_showcase(
    encoded: EncodedRecords,
    corpus: Corpus,
    split: str = "test",
    *,
    kinds: Sequence[str] = (f"tags{NEW_WORDS}", f"tags.zh{NEW_WORDS}"),
    other: EncodedRecords | None = None,
    successes: int = 2,
    failures: int = 1,
    top: int = 6,
    side_px: int = 96,
    default_lang: str = DEFAULT_LANG,
    seed: int = 0,
) -> list[ShownSearch]:
    """Per source and kind the first queries, in hashed order, found at the top and not among the first ten.

    `other` holds the same records seen by the model to compare with. A source that has fewer successes or failures
    than asked shows those it has.
    """
    choices: list[Choice] = []
    for number, task in enumerate(encoded.tasks):
        if task.kind.name in kinds:
            ranks = _ranks(encoded, task)
            others = None if other is None else _ranks(other, other.tasks[number])
            vectors, _ = encoded.vectors_of(task, encoded.record.weights)
            features = encoded.queries_of(task), vectors
            choices += choose(
                task, ranks, others, *features, successes=successes, failures=failures, top=top, seed=seed
            )
    thumbnails = choice_thumbnails(encoded.items, corpus, split, choices, side_px)
    return [_shown(encoded, choice, thumbnails, default_lang) for choice in choices]


def in_reading_order(views: Mapping[str, float]) -> dict[str, float]:
    """The picture, the title, then other kinds of text by their names."""
    return {view: views[view] for view in sorted(views, key=lambda view: (view != IMAGE, view != "title", view))}


def _ranks(encoded: EncodedRecords, task: Task) -> Indices:
    vectors, counted = encoded.vectors_of(task, encoded.record.weights)
    return best_ranks(encoded.queries_of(task), vectors, task.truths, present=counted)


def _shown(encoded: EncodedRecords, choice: Choice, thumbnails: Mapping[str, bytes], default_lang: str) -> ShownSearch:
    task, right = choice.task, choice.task.truths.row(choice.query)
    query = encoded.queries_of(task)[choice.query]

    def hit(position: int) -> RecordHit:
        item = encoded.items[task.gallery.images[position]]
        row = int(encoded.rows[task.gallery.images[position]])
        views = {
            view: float(features[row].numpy() @ query)
            for view, features in encoded.features.items()
            if view not in task.kind.parts and bool(encoded.present[view][row])
        }
        titles = texts_of(item.texts, "title", task.kind.lang, default_lang) or texts_of(item.texts, "title")
        return RecordHit(
            titles[0] if titles else item.id,
            thumbnails.get(item.id, b""),
            in_reading_order(views),
            correct=bool(np.isin(position, right)),
        )

    return ShownSearch(
        text=task.texts[choice.query],
        query_kind=task.kind.name,
        lang=task.kind.lang or default_lang,
        source=task.gallery.name,
        gallery=len(task.gallery.images),
        hits=tuple(hit(position) for position in choice.hits.tolist()),
        rank=choice.rank,
        other_rank=choice.other_rank,
        truth=hit(int(right[0])),
    )
