"""Figures: what a training loop asks of a model now and then, answered by all its processes together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from manyview.corpus import Corpus
from manyview.evaluate.encode import Encoder
from manyview.evaluate.ranks import recall_at
from manyview.evaluate.retrieval import evaluate

if TYPE_CHECKING:
    import torch

    from manyview.distributed import World

SCORE_KIND = "all"
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
    """R@10 in percent of every source and kind of query, text to image; `score` is their mean for "all" texts.

    `corpora` have names, which begin the figures' names when there are several. A collective.
    """
    found, scores = dict[str, float](), list[float]()
    for name, corpus in corpora.items():
        results = evaluate(SharedEncoder(model, world), corpus, split, every_image=False, min_queries=1)
        for (source, kind, direction), cell in results.cells.items():
            if direction == "t2i":
                where = f"{name}/{source}" if len(corpora) > 1 else source
                found[f"{where}/{kind}/r10"] = 100 * recall_at(cell.ranks, 10)
                if kind == SCORE_KIND:
                    scores.append(found[f"{where}/{kind}/r10"])
    return {"score": float(np.mean(scores)), **found}
