"""What is searched and what counts as found: galleries of held-out images and the texts that ask for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manyview.corpus.fingerprint import text_identity
from manyview.corpus.split import seeded_order
from manyview.evaluate.items import Item
from manyview.evaluate.queries import DEFAULT_LANG, QueryKind, query_texts
from manyview.evaluate.relation import Indices, Relation

EVERY_IMAGE = ", every image"
TITLE = QueryKind.parse("title")


@dataclass(frozen=True)
class Gallery:
    """The images of a source that are searched together.

    `images` index the items of the split. In `name` = "SOURCE" each concept (group) has one image and no
    two concepts share a title; in "SOURCE, every image" all images of a concept are right for its texts.
    """

    name: str
    images: Indices


@dataclass(frozen=True)
class Task:
    """The queries of one kind against one gallery.

    `texts` are distinct (up to case, white space and compatibility characters); `truths` says which
    positions of the gallery are right for each. `groups` numbers the concept of each image of the gallery,
    `text_groups` that of each text, for resampling by concept.
    """

    gallery: Gallery
    kind: QueryKind
    texts: tuple[str, ...]
    truths: Relation
    groups: Indices
    text_groups: Indices


def build_galleries(
    items: Sequence[Item],
    *,
    default_lang: str = DEFAULT_LANG,
    every_image: bool = True,
    without_image: bool = False,
    seed: int = 0,
) -> list[Gallery]:
    """Per source the one-image-a-concept gallery, then the any-of-k one where it has more images.

    Which image stands for a concept, and which concept for a title that several bear, is decided by the
    hash of (seed, id): the result depends neither on the order of the items nor on their number elsewhere.
    Records without an image stand in none, except with `without_image`.
    """
    there = [index for index, item in enumerate(items) if item.has_image or without_image]
    order = sorted(there, key=lambda index: seeded_order(seed, items[index].id))
    galleries = []
    for source in sorted({items[index].source for index in there}):
        members = [index for index in order if items[index].source == source]
        concepts = _one_a_concept(items, members, default_lang)
        galleries.append(Gallery(source, _indices(concepts)))
        if every_image and len(members) > len(concepts):
            galleries.append(Gallery(source + EVERY_IMAGE, _indices(members)))
    return galleries


def build_task(items: Sequence[Item], gallery: Gallery, kind: QueryKind, *, default_lang: str = DEFAULT_LANG) -> Task:
    """The distinct texts of one kind and their right images.

    A text is right for every image of the groups of the records that carry it: two concepts with the
    same tags are both right answers to these tags, and a caption asks for its concept, not for one file.
    """
    positions: dict[str, list[int]] = {}
    for position, index in enumerate(gallery.images):
        positions.setdefault(items[index].group, []).append(position)
    number = {group: count for count, group in enumerate(positions)}
    wording: dict[int, str] = {}
    carriers: dict[int, dict[str, None]] = {}
    for index in gallery.images:
        item = items[index]
        for text in query_texts(item.texts, kind, default_lang):
            key = text_identity(text)
            wording.setdefault(key, text)
            carriers.setdefault(key, {})[item.group] = None
    truths = [[place for group in groups for place in positions[group]] for groups in carriers.values()]
    return Task(
        gallery=gallery,
        kind=kind,
        texts=tuple(wording.values()),
        truths=Relation.from_rows(truths),
        groups=_indices(number[items[index].group] for index in gallery.images),
        text_groups=_indices(number[next(iter(groups))] for groups in carriers.values()),
    )


def langs_by_kind(items: Iterable[Item]) -> Mapping[str, list[str]]:
    """Text kinds and the languages each is there in, for the sentence of an error."""
    found: dict[str, set[str]] = {}
    for item in items:
        for text in item.texts:
            found.setdefault(text.kind, set()).add(text.lang)
    return {kind: sorted(langs) for kind, langs in sorted(found.items())}


def _one_a_concept(items: Sequence[Item], members: Sequence[int], default_lang: str) -> list[int]:
    chosen: list[int] = []
    groups: set[str] = set()
    titles: set[int] = set()
    for index in members:
        title = query_texts(items[index].texts, TITLE, default_lang)[:1]
        own = {text_identity(text) for text in title}
        if items[index].group in groups or own & titles:
            continue
        groups.add(items[index].group)
        titles |= own
        chosen.append(index)
    return chosen


def _indices(values: Iterable[int]) -> Indices:
    return np.fromiter(values, dtype=np.int64)
