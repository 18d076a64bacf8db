"""Held-out queries with what a model finds for them, as pictures: successes and failures alike."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from manyview.corpus import Corpus
from manyview.corpus.split import seeded_order
from manyview.evaluate.encode import EncodedSplit
from manyview.evaluate.galleries import EVERY_IMAGE, Task
from manyview.evaluate.items import Item
from manyview.evaluate.queries import DEFAULT_LANG, texts_of
from manyview.evaluate.ranks import Features, best_ranks, nearest
from manyview.evaluate.relation import Indices
from manyview.imaging import on_white, open_image

FOUND_WITHIN, MISSED_BEYOND = 1, 10


@dataclass(frozen=True)
class Hit:
    """An image of the gallery as the report shows it; `thumbnail` is an encoded image."""

    title: str
    thumbnail: bytes
    correct: bool


@dataclass(frozen=True)
class ShownQuery:
    """A query, its first hits, a right image, and that one's 0-based rank among `gallery` images.

    `other_rank` is the rank another model gives, when one was asked.
    """

    text: str
    query_kind: str
    lang: str
    source: str
    rank: int
    gallery: int
    hits: tuple[Hit, ...]
    truth: Hit
    other_rank: int | None = None

    @property
    def found(self) -> bool:
        return self.rank < FOUND_WITHIN


@dataclass(frozen=True)
class Choice:
    """A query to show: its 0-based rank, that of another model, and the gallery positions of its first hits."""

    task: Task
    query: int
    rank: int
    other_rank: int | None
    hits: Indices


def showcase(
    encoded: EncodedSplit,
    corpus: Corpus,
    split: str = "test",
    *,
    kinds: Sequence[str] = ("title", "title.zh"),
    sources: Sequence[str] | None = None,
    successes: int = 2,
    failures: int = 1,
    top: int = 8,
    side_px: int = 96,
    other: EncodedSplit | None = None,
    default_lang: str = DEFAULT_LANG,
    seed: int = 0,
) -> list[ShownQuery]:
    """Per source and kind the first queries, in hashed order, found at the top and not in the first ten.

    Only one-image-a-concept galleries are shown. `other` is the same split seen by the model to compare
    with. A source that has fewer successes or failures than asked shows those it has.
    """
    choices = []
    for number, task in enumerate(encoded.tasks):
        name = task.gallery.name
        wanted = task.kind.name in kinds and not name.endswith(EVERY_IMAGE)
        if wanted and (sources is None or name in sources):
            rival = other.tasks[number] if other else None
            ranks = _ranks(encoded, task)
            others = _ranks(other, rival) if other and rival else None
            features = encoded.texts_of(task.texts), encoded.images_of(task.gallery)
            choices += choose(
                task, ranks, others, *features, successes=successes, failures=failures, top=top, seed=seed
            )
    thumbnails = choice_thumbnails(encoded.items, corpus, split, choices, side_px)
    return [_shown(encoded, choice, thumbnails, default_lang) for choice in choices]


def _ranks(encoded: EncodedSplit, task: Task) -> Indices:
    return best_ranks(encoded.texts_of(task.texts), encoded.images_of(task.gallery), task.truths)


def choose(
    task: Task,
    ranks: Indices,
    others: Indices | None,
    queries: Features,
    gallery: Features,
    *,
    successes: int,
    failures: int,
    top: int,
    seed: int,
) -> list[Choice]:
    """The first queries of a task, in hashed order, found at the top, then the first that are missed.

    `queries` [texts, d] and `gallery` [gallery, d] are the features that gave `ranks`; `others` are another model's.
    """
    order = sorted(range(len(task.texts)), key=lambda query: seeded_order(seed, task.texts[query]))
    found = [query for query in order if ranks[query] < FOUND_WITHIN][:successes]
    missed = [query for query in order if ranks[query] >= MISSED_BEYOND][:failures]
    chosen = [*found, *missed]
    hits = nearest(queries[chosen], gallery, top)
    return [
        Choice(task, query, int(ranks[query]), None if others is None else int(others[query]), row)
        for query, row in zip(chosen, hits, strict=True)
    ]


def choice_thumbnails(
    items: Sequence[Item], corpus: Corpus, split: str, choices: Sequence[Choice], side_px: int
) -> Mapping[str, bytes]:
    """By id the hits and a right record of each choice; those without an image are left out."""
    needed = {
        items[choice.task.gallery.images[place]].id
        for choice in choices
        for place in (*choice.hits.tolist(), int(choice.task.truths.row(choice.query)[0]))
    }
    return {
        record.id: thumbnail(record.image, side_px)
        for record in corpus.records(split)
        if record.id in needed and record.image is not None
    }


def thumbnail(image: bytes, side_px: int) -> bytes:
    """The image on white within side_px x side_px, as WebP; small ones are enlarged in whole steps."""
    picture = on_white(ImageOps.exif_transpose(open_image(image)))
    factor = max(1, side_px // max(picture.size))
    picture = picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    packed = io.BytesIO()
    picture.save(packed, "WEBP", quality=82, method=4)
    return packed.getvalue()


def _shown(encoded: EncodedSplit, choice: Choice, thumbnails: Mapping[str, bytes], default_lang: str) -> ShownQuery:
    right = choice.task.truths.row(choice.query)
    kind = choice.task.kind

    def hit(place: int) -> Hit:
        item = encoded.items[choice.task.gallery.images[place]]
        titles = texts_of(item.texts, "title", kind.lang, default_lang) or texts_of(item.texts, "title")
        return Hit(titles[0] if titles else item.id, thumbnails[item.id], bool(np.isin(place, right)))

    return ShownQuery(
        text=choice.task.texts[choice.query],
        query_kind=kind.name,
        lang=kind.lang or default_lang,
        source=choice.task.gallery.name,
        rank=choice.rank,
        gallery=len(choice.task.gallery.images),
        hits=tuple(hit(place) for place in choice.hits.tolist()),
        truth=hit(int(right[0])),
        other_rank=choice.other_rank,
    )
