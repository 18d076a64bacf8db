"""Figures: what a training loop asks of a model now and then, answered by all its processes together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.evaluate.encode import Encoder, encode_split
from manyview.evaluate.items import read_items
from manyview.evaluate.queries import ALL, kinds_present
from manyview.evaluate.ranks import recall_at
from manyview.evaluate.record_retrieval import RECORD, evaluate_records, record_config
from manyview.evaluate.record_tasks import NEW_WORDS, record_tasks
from manyview.evaluate.retrieval import Cell, Key, rank_split

if TYPE_CHECKING:
    import torch

    from manyview.distributed import World

T = TypeVar("T")
Score = Literal["pictures", "records", "mean"]


class SharedEncoder:
    """An encoder of which each process of a world encodes its part; every call is a collective."""

    def __init__(self, model: Encoder, world: World) -> None:
        self._model, self._world = model, world

    def encode_image(self, images: Sequence[bytes], batch_size: int = 256) -> torch.Tensor:
        """[n, embed_dim], the same on every process."""
        return self._shared(images, lambda mine: self._model.encode_image(mine, batch_size=batch_size))

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> torch.Tensor:
        """[n, embed_dim], the same on every process."""
        return self._shared(texts, lambda mine: self._model.encode_text(mine, batch_size=batch_size))

    def _shared(self, items: Sequence[T], encode: Callable[[Sequence[T]], torch.Tensor]) -> torch.Tensor:
        """As many items on each process, the last ones padded: sharded models need everybody in every pass."""
        each = -(-len(items) // self._world.size)
        mine = list(items[self._world.rank * each : (self._world.rank + 1) * each])
        rows = encode(mine + list(items[:1]) * (each - len(mine)))
        return self._world.gather(rows).flatten(0, 1)[: len(items)]


def figures(
    model: Encoder, corpora: Mapping[str, Corpus], split: str, world: World, score: Score = "pictures"
) -> dict[str, float]:
    """R@10 in percent of every source and kind of query, of pictures and of records; `score` is a mean over sources.

    A picture figure is named "SOURCE/KIND/r10", a record figure "SOURCE/records/KIND/r10"; names begin with those of
    the `corpora` when there are several. A source's score is that of its `main_kind` (pictures), its `record_score`
    (records), or the mean of both where it has both. A collective.
    """
    values, scores = dict[str, float](), list[float]()
    shared, record = SharedEncoder(model, world), record_config(model)
    for name, corpus in corpora.items():
        pictured = any(item.has_image for item in read_items(corpus, split))
        encoded = encode_split(shared, corpus, split, every_image=False) if pictured else None
        pictures = _by_source(rank_split(encoded, min_queries=1).cells, "t2i") if encoded else {}
        records = _by_source(
            evaluate_records(
                shared, corpus, split, record=record, controls=False, min_queries=1, encoded=encoded
            ).cells,
            RECORD,
        )
        for source in sorted(pictures.keys() | records.keys()):
            where = f"{name}/{source}" if len(corpora) > 1 else source
            of_pictures, of_records = pictures.get(source, {}), records.get(source, {})
            values |= {f"{where}/{kind}/r10": 100 * recall_at(cell.ranks, 10) for kind, cell in of_pictures.items()}
            values |= {
                f"{where}/records/{kind}/r10": 100 * recall_at(cell.ranks, 10) for kind, cell in of_records.items()
            }
            scores += _source_score(of_pictures, of_records, score)
    return {"score": float(np.mean(scores)), **values}


def record_score(cells: Mapping[str, Cell]) -> float:
    """R@10 in percent over all queries of new words that a source has in the language of most queries.

    Over all queries of that language where none is of new words.
    """
    langs = Counter[str]()
    for kind, cell in cells.items():
        langs[_lang(kind)] += len(cell.ranks)
    in_main_language = {kind: cell.ranks for kind, cell in cells.items() if _lang(kind) == langs.most_common(1)[0][0]}
    new = [ranks for kind, ranks in in_main_language.items() if kind.endswith(NEW_WORDS)]
    return 100 * recall_at(np.concatenate(new or list(in_main_language.values())), 10)


def _lang(kind: str) -> str:
    return kind.removesuffix(NEW_WORDS).partition(".")[2]


def _by_source(cells: Mapping[Key, Cell], direction: str) -> dict[str, dict[str, Cell]]:
    by_source: dict[str, dict[str, Cell]] = {}
    for (source, kind, cell_direction), cell in cells.items():
        if cell_direction == direction:
            by_source.setdefault(source, {})[kind] = cell
    return by_source


def _source_score(pictures: Mapping[str, Cell], records: Mapping[str, Cell], score: Score) -> list[float]:
    """The score of one source as a list, empty where it has no such task."""
    parts = []
    if pictures and score != "records":
        kind = main_kind({kind: len(cell.ranks) for kind, cell in pictures.items()})
        parts.append(100 * recall_at(pictures[kind].ranks, 10))
    if records and score != "pictures":
        parts.append(record_score(records))
    return [float(np.mean(parts))] if parts else []


def main_kind(queries: Mapping[str, int]) -> str:
    """The kind by which a source is scored: `all` in the language of most queries, else the kind of most queries."""
    of_all = {kind: count for kind, count in queries.items() if kind.partition(".")[0] == ALL}
    return max(of_all or queries, key=lambda kind: (of_all or queries)[kind])


def check_askable(corpora: Mapping[str, Corpus], split: str, score: Score = "pictures") -> None:
    """Raises UsageError when a corpus has no text in the split to ask with, or no record task where one is to score."""
    for name, corpus in corpora.items():
        if not any(any(langs.values()) for counts in corpus.shard_text_counts(split) for langs in counts.values()):
            raise UsageError(
                f"the split {split!r} of {name} has no text at all, so that recall cannot be measured on it: give "
                "evaluate_split the name of another split, or leave out evaluate_every"
            )
        items = read_items(corpus, split)
        kinds = kinds_present(text for item in items for text in item.texts)
        if score == "records" and not record_tasks(items, kinds):
            raise UsageError(
                f"evaluate_score=records, but the split {split!r} of {name} has no record task (no record has texts of "
                "two kinds), allowed: evaluate_score=pictures"
            )
        if score == "pictures" and not any(item.has_image and item.texts for item in items):
            raise UsageError(
                f"no record of the split {split!r} of {name} has a picture and a text, so that recall of pictures "
                "cannot be measured on it: evaluate_score=records, another evaluate_split, or no evaluate_every"
            )
