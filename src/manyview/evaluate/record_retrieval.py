"""Retrieval of records: each kind of text asks for records by their picture and all their other texts.

Every task is answered five times, and each answer stands where picture tasks have their direction: `record` by the
record's vector; `text` and `image` by its texts and by its picture alone; `bm25` by the words of the texts that the
record's vector is made of; `bm25+record` by both lists joined by reciprocal ranks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from manyview.corpus import Corpus
from manyview.evaluate.bm25 import BM25
from manyview.evaluate.bootstrap import LEVEL, RESAMPLES
from manyview.evaluate.encode import EncodedSplit, Encoder, encode_some_images, encode_texts
from manyview.evaluate.fusion import fused_ranks
from manyview.evaluate.galleries import Task
from manyview.evaluate.items import Item, read_items
from manyview.evaluate.queries import DEFAULT_LANG, QueryKind, kinds_present, query_kinds
from manyview.evaluate.ranks import Features, best_ranks, mean_reciprocal_rank, ranks_by_score, score_chunks
from manyview.evaluate.record_tasks import other_texts, record_tasks
from manyview.evaluate.relation import Indices
from manyview.evaluate.retrieval import (
    MIN_QUERIES,
    Cell,
    Key,
    Measures,
    ResultsTree,
    RetrievalResults,
    measures,
    paired_cells,
)
from manyview.evaluate.words import tokens
from manyview.model import DualEncoder, RecordConfig
from manyview.model.record_vector import IMAGE, joined_views, rendered_kinds, text_views

RECORD, TEXT, PICTURE, WORDS, FUSED = ANSWERS = ("record", "text", "image", "bm25", "bm25+record")


class RecordMeasures(Measures):
    """The same for records, and the mean of 1 / rank."""

    mrr: float


RecordTree = dict[str, dict[str, dict[str, RecordMeasures]]]
"""{source: {"KIND" | "KIND, new words": {one of ANSWERS: RecordMeasures}}}"""


@dataclass(frozen=True)
class RecordResults(RetrievalResults):
    """Ranks of one model; without cells, `no_task` says why in one sentence."""

    no_task: str | None = None

    def to_dict(self) -> RecordTree:  # type: ignore[override]
        return records_tree([self])


@dataclass(frozen=True)
class EncodedRecords:
    """The records of the tasks' galleries seen by one model.

    `rows[i]` is the row of `items[i]` in `features` and `present` (by view: "image" and kinds of text); it is
    meaningless for items that stand in no gallery. `queries` gives the row of `query_features` of each query.
    """

    items: tuple[Item, ...]
    tasks: tuple[Task, ...]
    record: RecordConfig
    rows: Indices
    features: Mapping[str, torch.Tensor]
    present: Mapping[str, torch.Tensor]
    queries: Mapping[str, int]
    query_features: Features
    answer_kinds: tuple[str, ...] | None = None

    def queries_of(self, task: Task) -> Features:
        return self.query_features[[self.queries[text] for text in task.texts]]

    def vectors_of(self, task: Task, weights: Mapping[str, float]) -> tuple[Features, NDArray[np.bool_]]:
        """([gallery, embed_dim] vectors, bool [gallery] whether a record has one) without the asking kind."""
        rows = torch.from_numpy(self.rows[task.gallery.images])
        views = [view for view in self.features if view == IMAGE or self._answers(view, task.kind)]
        vectors, counted = joined_views(
            {view: self.features[view][rows] for view in views},
            {view: self.present[view][rows] for view in views},
            weights,
        )
        return vectors.numpy(), counted.numpy()

    def words_of(self, task: Task) -> list[list[str]]:
        """The words of the texts in each record's vector [gallery]."""
        plain = self.record.model_copy(update={"templates": {}})
        asking = task.kind.parts[0]
        documents = []
        for index in task.gallery.images.tolist():
            rendered = rendered_kinds(other_texts(self.items[index].texts, asking, self.answer_kinds), plain)
            strings = (string for langs in rendered.values() for lang in langs for string in lang)
            documents.append([token for string in strings for token in tokens(string)])
        return documents

    def _answers(self, view: str, kind: QueryKind) -> bool:
        return view != kind.parts[0] and (self.answer_kinds is None or view in self.answer_kinds)


def evaluate_records(
    model: Encoder,
    corpus: Corpus,
    split: str = "test",
    *,
    record: RecordConfig | None = None,
    kinds: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    answer_kinds: Sequence[str] | None = None,
    default_lang: str = DEFAULT_LANG,
    controls: bool = True,
    min_queries: int = MIN_QUERIES,
    seed: int = 0,
    batch_size: int = 256,
    encoded: EncodedSplit | None = None,
) -> RecordResults:
    """Rank the records of a split for every text that asks; see `record_tasks` for what asks and what is right.

    `record`: weights, templates and languages of the record's vector, by default the model's own. `kinds` and
    `languages` as in encode_split, of which kinds of several parts do not ask. `encoded`: the same split and model,
    whose pictures need not be encoded again. Without `controls` only the record's vector answers.
    """
    records = encode_records(
        model,
        corpus,
        split,
        record=record,
        kinds=kinds,
        languages=languages,
        answer_kinds=answer_kinds,
        default_lang=default_lang,
        seed=seed,
        batch_size=batch_size,
        encoded=encoded,
    )
    return rank_records(records, controls=controls, min_queries=min_queries)


def encode_records(
    model: Encoder,
    corpus: Corpus,
    split: str = "test",
    *,
    record: RecordConfig | None = None,
    kinds: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    answer_kinds: Sequence[str] | None = None,
    default_lang: str = DEFAULT_LANG,
    max_gallery: int | None = None,
    seed: int = 0,
    batch_size: int = 256,
    encoded: EncodedSplit | None = None,
) -> EncodedRecords:
    """Build the record tasks of a split and encode their queries and galleries; see evaluate_records."""
    record = record or record_config(model)
    items = read_items(corpus, split) if encoded is None else list(encoded.items)
    if kinds is None and languages is None:
        asking = kinds_present((text for item in items for text in item.texts), default_lang)
    else:
        asking = query_kinds(kinds or (), languages or ())
    tasks = record_tasks(
        items, asking, answer_kinds=answer_kinds, default_lang=default_lang, max_gallery=max_gallery, seed=seed
    )
    chosen = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(task.gallery.images for task in tasks)]))
    rows = np.zeros(len(items), dtype=np.int64)
    rows[chosen] = np.arange(len(chosen))
    pictured = np.array([items[index].has_image for index in chosen.tolist()], dtype=bool)
    if encoded is not None:
        images = encoded.image_features[chosen]
    else:
        images = encode_some_images(model, corpus, split, chosen[pictured], batch_size)[chosen]
    texts = [items[index].texts for index in chosen.tolist()]
    features, present = text_views(
        texts, record, lambda strings: torch.from_numpy(encode_texts(model, strings, batch_size))
    )
    queries = list(dict.fromkeys(text for task in tasks for text in task.texts))
    return EncodedRecords(
        items=tuple(items),
        tasks=tuple(tasks),
        record=record,
        rows=rows,
        features={IMAGE: torch.from_numpy(images)} | features,
        present={IMAGE: torch.from_numpy(pictured)} | present,
        queries={text: row for row, text in enumerate(queries)},
        query_features=encode_texts(model, queries, batch_size),
        answer_kinds=None if answer_kinds is None else tuple(answer_kinds),
    )


def record_config(model: Encoder) -> RecordConfig:
    """The record configuration of a model, that of an encoder which has none by default."""
    return model.config.record if isinstance(model, DualEncoder) else RecordConfig()


def rank_records(encoded: EncodedRecords, *, controls: bool = True, min_queries: int = MIN_QUERIES) -> RecordResults:
    """The ranks of records that are encoded already."""
    cells: dict[Key, Cell] = {}
    left_out: dict[Key, int] = {}
    for task in encoded.tasks:
        source, kind = task.gallery.name, task.kind.name
        if len(task.texts) < min_queries:
            left_out[source, kind, RECORD] = len(task.texts)
            continue
        for answer, ranks in _ranks(encoded, task, controls):
            gallery = len(task.gallery.images)
            cells[source, kind, answer] = Cell(task.texts, ranks, task.text_groups, task.truths.counts, gallery)
    return RecordResults(cells, left_out, None if cells else _why_no_task(encoded, left_out, min_queries))


def records_tree(
    results: Sequence[RetrievalResults], *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> RecordTree:
    """What "records" of results.json says of a recipe trained with one or several seeds; see results_tree."""
    tree: RecordTree = {}
    for key, seeds in paired_cells(results) if results and results[0].cells else ():
        source, kind, answer = key
        measured = measures(key, seeds, resamples=resamples, level=level, seed=seed)
        mrr = mean_reciprocal_rank(np.concatenate([cell.ranks for cell in seeds]))
        tree.setdefault(source, {}).setdefault(kind, {})[answer] = RecordMeasures(**measured, mrr=mrr)
    return tree


def with_records(pictures: ResultsTree, records: RecordTree) -> dict[str, Any]:
    """Both trees as one: sources as in `pictures`, and "records" beside them.

    A source that is itself called "records" keeps its kinds there.
    """
    return {**pictures, "records": {**pictures.get("records", {}), **records}}


def _ranks(encoded: EncodedRecords, task: Task, controls: bool) -> Iterator[tuple[str, Indices]]:
    weights = encoded.record.weights
    queries = encoded.queries_of(task)
    vectors, counted = encoded.vectors_of(task, weights)
    yield RECORD, best_ranks(queries, vectors, task.truths, present=counted)
    if not controls:
        return
    texts, with_text = encoded.vectors_of(task, {**weights, IMAGE: 0.0})
    yield TEXT, best_ranks(queries, texts, task.truths, present=with_text)
    rows = torch.from_numpy(encoded.rows[task.gallery.images])
    pictures, pictured = encoded.features[IMAGE][rows].numpy(), encoded.present[IMAGE][rows].numpy()
    yield PICTURE, best_ranks(queries, pictures, task.truths, present=pictured)
    index = BM25(encoded.words_of(task))
    query_words = [tokens(text) for text in task.texts]
    yield WORDS, ranks_by_score(index.score_chunks(query_words), task.truths)
    yield FUSED, fused_ranks(score_chunks(queries, vectors), index.score_chunks(query_words), task.truths)


def _why_no_task(encoded: EncodedRecords, left_out: Mapping[Key, int], min_queries: int) -> str:
    kinds = sorted({text.kind for item in encoded.items for text in item.texts if text.text.strip()})
    if len(kinds) < 2:
        return (
            f"no record task: the texts of the split are of one kind ({', '.join(kinds) or 'none'}), the one that asks"
        )
    if not left_out:
        return (
            "no record task: no record that says something else has a text of the asked kinds "
            "(kinds that join several do not ask for records)"
        )
    return (
        f"no record task: no source has {min_queries} queries of one kind, the most are {max(left_out.values())} "
        "(records with one title, or of one group, count once)"
    )
