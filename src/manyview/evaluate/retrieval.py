"""Retrieval on held-out concepts, text to image and image to text, for every source and kind of query."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict

import numpy as np

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.evaluate.bootstrap import LEVEL, RESAMPLES, recall_interval
from manyview.evaluate.encode import EncodedSplit, Encoder, encode_split
from manyview.evaluate.galleries import Task
from manyview.evaluate.queries import DEFAULT_LANG
from manyview.evaluate.ranks import best_ranks, chance_recall_at, median_rank, recall_at
from manyview.evaluate.relation import Indices, Relation

DIRECTIONS = ("t2i", "i2t")
MIN_QUERIES = 10

Key = tuple[str, str, str]
"""(source, query kind, direction)"""


class Measures(TypedDict):
    """One cell of results.json. Recalls, their interval and chance are percent; ranks count from 1."""

    r1: float
    r5: float
    r10: float
    median_rank: float
    queries: int
    gallery: int
    chance_r10: float
    r10_low: float
    r10_high: float


ResultsTree = dict[str, dict[str, dict[str, Measures]]]
"""{source: {query_kind: {"t2i" | "i2t": Measures}}}"""


@dataclass(frozen=True)
class Cell:
    """The 0-based best rank of every query of one source, kind and direction.

    `names` identify the queries (a text, or a record id) so that two models can be compared query by
    query; `clusters` number their concepts; `truths` is the number of right answers of each.
    """

    names: tuple[str, ...]
    ranks: Indices
    clusters: Indices
    truths: Indices
    gallery: int

    def chance_at(self, k: int) -> float:
        return chance_recall_at(self.gallery, self.truths, k)


@dataclass(frozen=True)
class RetrievalResults:
    """Ranks of one model; `left_out` counts the queries of cells with too few of them to mean anything."""

    cells: Mapping[Key, Cell]
    left_out: Mapping[Key, int]

    def to_dict(self) -> ResultsTree:
        return results_tree([self])

    def left_out_lines(self) -> list[str]:
        """A line for each source and kind that had too few queries."""
        counts = {(source, kind): count for (source, kind, _), count in self.left_out.items()}
        return [
            f"left out: {kind} of {source}, {count} queries are too few" for (source, kind), count in counts.items()
        ]


def evaluate(
    model: Encoder,
    corpus: Corpus,
    split: str = "test",
    *,
    kinds: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    default_lang: str = DEFAULT_LANG,
    every_image: bool = True,
    min_queries: int = MIN_QUERIES,
    seed: int = 0,
    batch_size: int = 256,
) -> RetrievalResults:
    """Rank every held-out image for every held-out query, and the other way round; see encode_split."""
    encoded = encode_split(
        model,
        corpus,
        split,
        kinds=kinds,
        languages=languages,
        default_lang=default_lang,
        every_image=every_image,
        seed=seed,
        batch_size=batch_size,
    )
    return rank_split(encoded, min_queries=min_queries)


def rank_split(encoded: EncodedSplit, *, min_queries: int = MIN_QUERIES) -> RetrievalResults:
    """The ranks of a split that is encoded already; raises UsageError when no cell has enough queries."""
    cells: dict[Key, Cell] = {}
    left_out: dict[Key, int] = {}
    for task in encoded.tasks:
        source, kind = task.gallery.name, task.kind.name
        if len(task.texts) < min_queries:
            left_out |= {(source, kind, direction): len(task.texts) for direction in DIRECTIONS}
            continue
        cells[source, kind, "t2i"] = _text_to_image(encoded, task)
        cells[source, kind, "i2t"] = _image_to_text(encoded, task)
    if not cells:
        most = max(left_out.values())
        raise UsageError(f"no source has {min_queries} held-out queries of one kind, the most are {most}")
    return RetrievalResults(cells, left_out)


def results_tree(
    results: Sequence[RetrievalResults], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> ResultsTree:
    """What results.json says of a recipe trained with one or several seeds: recalls are their average.

    The median rank is that of all seeds' ranks together.
    """
    tree: ResultsTree = {}
    for key, seeds in paired_cells(results):
        source, kind, direction = key
        measured = measures(key, seeds, resamples=resamples, level=level, seed=seed)
        tree.setdefault(source, {}).setdefault(kind, {})[direction] = measured
    return tree


def measures(key: Key, seeds: Sequence[Cell], *, resamples: int, level: float, seed: int) -> Measures:
    """What one cell says, over the results of all seeds."""
    ranks = [cell.ranks for cell in seeds]
    together = np.concatenate(ranks)
    interval = recall_interval(
        ranks,
        10,
        generator=cell_generator(seed, key),
        clusters=seeds[0].clusters,
        resamples=resamples,
        level=level,
    )
    return Measures(
        r1=100.0 * recall_at(together, 1),
        r5=100.0 * recall_at(together, 5),
        r10=100.0 * recall_at(together, 10),
        median_rank=median_rank(together),
        queries=len(ranks[0]),
        gallery=seeds[0].gallery,
        chance_r10=100.0 * seeds[0].chance_at(10),
        r10_low=100.0 * interval.low,
        r10_high=100.0 * interval.high,
    )


def paired_cells(results: Sequence[RetrievalResults]) -> Iterator[tuple[Key, list[Cell]]]:
    """Cell by cell what several models did with the same queries; raises UsageError when they differ."""
    if not results:
        raise UsageError("got no retrieval results, at least one model must have been evaluated")
    for key, first in results[0].cells.items():
        cells = [one.cells[key] for one in results if key in one.cells]
        same = all(cell.names == first.names and cell.gallery == first.gallery for cell in cells)
        if not same or len(cells) < len(results):
            raise UsageError(f"{' / '.join(key)} was evaluated on different queries: use one corpus and split")
        yield key, cells


def cell_generator(seed: int, key: Key) -> np.random.Generator:
    """Randomness of one cell, whatever other cells there are."""
    return np.random.default_rng([seed, zlib.crc32("\0".join(key).encode())])


def _text_to_image(encoded: EncodedSplit, task: Task) -> Cell:
    texts, images = encoded.texts_of(task.texts), encoded.images_of(task.gallery)
    ranks = best_ranks(texts, images, task.truths)
    return Cell(task.texts, ranks, task.text_groups, task.truths.counts, gallery=len(images))


def _image_to_text(encoded: EncodedSplit, task: Task) -> Cell:
    asked = task.truths.transpose(len(task.gallery.images))
    described = np.flatnonzero(asked.counts)
    truths = Relation.from_rows([asked.row(position) for position in described.tolist()])
    images = encoded.images_of(task.gallery)[described]
    ranks = best_ranks(images, encoded.texts_of(task.texts), truths)
    names = tuple(encoded.items[index].id for index in task.gallery.images[described])
    return Cell(names, ranks, task.groups[described], truths.counts, gallery=len(task.texts))
