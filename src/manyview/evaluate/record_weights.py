"""Record weights: how much each kind of text counts in a record's vector beside the picture, learned on a split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from manyview.corpus import Corpus, Text
from manyview.data.languages import LanguageWeights
from manyview.evaluate.encode import Encoder
from manyview.evaluate.galleries import Task
from manyview.evaluate.items import read_items
from manyview.evaluate.queries import DEFAULT_LANG, kinds_present
from manyview.evaluate.ranks import best_ranks, mean_reciprocal_rank
from manyview.evaluate.record_retrieval import EncodedRecords, encode_records, record_config
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.retrieval import MIN_QUERIES
from manyview.model import RecordConfig
from manyview.model.record_vector import IMAGE

GRID = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
MIN_GAIN = 1e-3
MAX_GALLERY = 2000
_ROUNDS = 10

Weights = Mapping[str, float]


@dataclass(frozen=True)
class LearnedWeights:
    """The weight of each view, with the mean reciprocal rank that it gives and that of weights of 1."""

    weights: dict[str, float]
    mrr: float
    mrr_of_ones: float

    def sentence(self, split: str) -> str:
        """What was learned, for a log."""
        named = ", ".join(f"{view} {weight:g}" for view, weight in self.weights.items())
        return (
            f"record weights, learned on the split {split!r}: {named} (mean reciprocal rank {self.mrr:.3f}, "
            f"{self.mrr_of_ones:.3f} with weights of 1)"
        )


def learn_record_weights(
    model: Encoder, corpora: Sequence[Corpus], split: str, record: RecordConfig | None = None
) -> LearnedWeights | None:
    """The weights of GRID with the best mean reciprocal rank when one kind asks and the rest answers; None: no task.

    The mean is over the sources of all corpora and the kinds that ask there with ten texts or more (all queries, each
    kind averaged over the languages that the model was trained in), over at most MAX_GALLERY records a source.
    A search along one weight after the other, from weights of 1 and without chance; a change that gains less than
    MIN_GAIN counts as a tie, and of ties the smaller change wins. `record`: templates, lists and languages, by default
    the model's own.
    """
    measured = [
        (encoded, task)
        for corpus in corpora
        if corpus.splits.get(split)
        for encoded in [_encoded(model, corpus, split, record or record_config(model))]
        for task in encoded.tasks
        if not task.kind.name.endswith(NEW_WORDS) and len(task.texts) >= MIN_QUERIES
    ]
    if not measured:
        return None
    kinds = sorted({view for encoded, task in measured for view in encoded.features if _often(encoded, task, view)})

    def mean_reciprocal(weights: Weights) -> float:
        by_kind: dict[tuple[int, str, str], list[float]] = {}
        for encoded, task in measured:
            vectors, counted = encoded.vectors_of(task, weights)
            ranks = best_ranks(encoded.queries_of(task), vectors, task.truths, present=counted)
            key = (id(encoded), task.gallery.name, task.kind.parts[0])
            by_kind.setdefault(key, []).append(mean_reciprocal_rank(ranks))
        return float(np.mean([np.mean(of_languages) for of_languages in by_kind.values()]))

    weights, mrr = search_weights(mean_reciprocal, kinds)
    return LearnedWeights({IMAGE: 1.0} | weights, mrr, mean_reciprocal({}))


def search_weights(
    value: Callable[[Weights], float], views: Sequence[str], grid: Sequence[float] = GRID, min_gain: float = MIN_GAIN
) -> tuple[dict[str, float], float]:
    """(weights of `views`, their value): one weight after the other moves on the grid until none gains `min_gain`."""
    weights = dict.fromkeys(views, 1.0)
    best = value(weights)
    for _ in range(_ROUNDS):
        before = dict(weights)
        for view in views:
            for candidate in sorted(grid, key=lambda weight: abs(np.log(weight / before[view]))):
                reached = value({**weights, view: candidate})
                if reached >= best + min_gain:
                    weights[view], best = candidate, reached
        if weights == before:
            break
    return weights, best


def record_weigher(corpora: Mapping[str, Corpus], split: str) -> Callable[[Encoder], tuple[dict[str, float], str]]:
    """What a training asks at its end: (weights of a model's views, a sentence on them); no weights: they stay 1."""

    def weigh(model: Encoder) -> tuple[dict[str, float], str]:
        held_out = [corpus for corpus in corpora.values() if corpus.splits.get(split)]
        if not held_out:
            return {}, f"record weights stay 1: no corpus has the split {split!r} to learn them on"
        learned = learn_record_weights(model, held_out, split)
        if learned is None:
            return {}, (
                f"record weights stay 1: in the split {split!r} no kind of text asks for {MIN_QUERIES} records that "
                "say something else"
            )
        return learned.weights, learned.sentence(split)

    return weigh


def _encoded(model: Encoder, corpus: Corpus, split: str, record: RecordConfig) -> EncodedRecords:
    texts = [text for item in read_items(corpus, split) for text in item.texts]
    asking = kinds_present(_trained(texts, record.langs), DEFAULT_LANG)
    names = [kind.name for kind in asking]
    return encode_records(model, corpus, split, record=record, kinds=names, max_gallery=MAX_GALLERY)


def _trained(texts: Sequence[Text], langs: Sequence[str]) -> list[Text]:
    """The texts in languages that a model was trained in; all texts where there are none of these."""
    trained = LanguageWeights(tuple(langs))
    return [text for text in texts if not langs or trained.shares((text.lang,))] or list(texts)


def _often(encoded: EncodedRecords, task: Task, view: str) -> bool:
    """Whether a kind of text stands in enough records to tell what it is worth."""
    if view in (IMAGE, task.kind.parts[0]):
        return False
    return int(encoded.present[view][encoded.rows[task.gallery.images]].sum()) >= MIN_QUERIES
