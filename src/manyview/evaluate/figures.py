"""Figures: what a training loop asks of a model now and then, answered by all its processes together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.evaluate.encode import Encoder
from manyview.evaluate.queries import ALL
from manyview.evaluate.ranks import recall_at
from manyview.evaluate.retrieval import Cell, evaluate

if TYPE_CHECKING:
    import torch

    from manyview.distributed import World

T = TypeVar("T")


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


def figures(model: Encoder, corpora: Mapping[str, Corpus], split: str, world: World) -> dict[str, float]:
    """R@10 in percent of every source and kind of query, text to image; `score` is the mean of their `main_kind`.

    `corpora` have names, which begin the figures' names when there are several. A collective.
    """
    found, scores = dict[str, float](), list[float]()
    for name, corpus in corpora.items():
        results = evaluate(SharedEncoder(model, world), corpus, split, every_image=False, min_queries=1)
        by_source: dict[str, dict[str, Cell]] = {}
        for (source, kind, direction), cell in results.cells.items():
            if direction == "t2i":
                by_source.setdefault(source, {})[kind] = cell
        for source, cells in by_source.items():
            where = f"{name}/{source}" if len(corpora) > 1 else source
            found |= {f"{where}/{kind}/r10": 100 * recall_at(cell.ranks, 10) for kind, cell in cells.items()}
            scores.append(found[f"{where}/{main_kind({kind: len(cell.ranks) for kind, cell in cells.items()})}/r10"])
    return {"score": float(np.mean(scores)), **found}


def main_kind(queries: Mapping[str, int]) -> str:
    """The kind by which a source is scored: `all` in the language of most queries, else the kind of most queries."""
    of_all = {kind: count for kind, count in queries.items() if kind.partition(".")[0] == ALL}
    return max(of_all or queries, key=lambda kind: (of_all or queries)[kind])


def check_askable(corpora: Mapping[str, Corpus], split: str) -> None:
    """Raises UsageError when a corpus has no text in the split to ask for its images with."""
    for name, corpus in corpora.items():
        if not any(any(langs.values()) for counts in corpus.shard_text_counts(split) for langs in counts.values()):
            raise UsageError(
                f"the split {split!r} of {name} has no text at all, so that recall cannot be measured on it: give "
                "evaluate_split the name of another split, or leave out evaluate_every"
            )
