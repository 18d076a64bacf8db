"""Batches: steps become image views, text views and masks."""

import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from manyview.corpus.corpus import Corpus
from manyview.corpus.fingerprint import text_identity
from manyview.data.color import COLOR_DRAWS, official_color
from manyview.data.images import crop_view, decode_image
from manyview.data.order import MixedOrder, Order
from manyview.data.randomness import uniforms
from manyview.data.reader import Reader, Row
from manyview.data.texts import render_texts
from manyview.data.views import ImageView, ViewsConfig
from manyview.errors import DataError, UsageError

__all__ = ["Batch", "BatchSource", "Tokenize", "iterate"]

Tokenize = Callable[[Sequence[str], int], dict[str, Tensor]]
_CROP_DRAWS = 5


@dataclass(frozen=True)
class Batch:
    """One step's views of n records, view by view.

    `images` [n, 3, size, size] uint8; `tokens` only of the rows present, as the text tower takes them;
    `present` [n] bool and `identities` [n] int64 for every view; `problems` are (id, reason) of images
    that could not be decoded, whose image views are absent.
    """

    step: int
    epoch: float
    ids: list[str]
    images: dict[str, Tensor]
    texts: dict[str, list[str | None]]
    tokens: dict[str, dict[str, Tensor]]
    present: dict[str, Tensor]
    identities: dict[str, Tensor]
    problems: list[tuple[str, str]]


class BatchSource(Dataset[Batch]):
    """Batch number `step` of a split: a pure function of its arguments, whoever asks and in what order.

    `source_exponent`: see MixedOrder. Raises UsageError when no record of the corpus has any text for a view.
    """

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        views: ViewsConfig,
        tokenize: Tokenize,
        *,
        size: int | Callable[[int], int],
        batch_size: int,
        seed: int,
        window: int = 16,
        source_exponent: float = 1.0,
    ) -> None:
        kinds = set().union(*(view.named_kinds() for view in views.texts.values()))
        langs = set().union(*(view.langs for view in views.texts.values()))
        anywhere = any(not view.langs for view in views.texts.values())
        self.reader = Reader(corpus, split, window + 1, kinds, None if anywhere else langs)
        self.order: Order | MixedOrder = Order(tuple(block.rows for block in self.reader.blocks), seed, window)
        if source_exponent != 1:
            sources = self.reader.rows_by_source()
            self.reader.cached *= len(sources)
            self.order = MixedOrder(sources, seed, window, source_exponent)
        self._views, self._tokenize, self._size = views, tokenize, size
        self._batch_size, self._seed = batch_size, seed
        if self.order.epoch_length < batch_size:
            raise UsageError(
                f"the split {split!r} has {self.order.epoch_length} records, "
                f"fewer than batch_size={batch_size}: make the batch smaller"
            )
        self._check_kinds(corpus, split)

    def __len__(self) -> int:
        return 2**62

    def __getitem__(self, step: int) -> Batch:
        places = self.order.batch(step, self._batch_size)
        rows = [self.reader.rows(place.block)[place.row] for place in places]
        epochs = np.array([place.epoch for place in places])
        samples = np.array([row.sample for row in rows], np.int64)
        images, problems = self._images(step, rows, epochs, samples)
        decoded = torch.tensor([row.id not in problems for row in rows])
        texts = {
            name: render_texts(view, name, self._views.lists, [r.texts for r in rows], self._seed, epochs, samples)
            for name, view in self._views.texts.items()
        }
        image_hashes = torch.tensor([row.image_hash for row in rows])
        present = dict.fromkeys(images, decoded)
        identities = dict.fromkeys(images, image_hashes)
        for name, of in texts.items():
            present[name] = torch.tensor([text is not None for text in of])
            identities[name] = torch.tensor([text_identity(text or "") for text in of])
        tokens = {
            name: self._tokenize([t for t in of if t is not None], self._views.texts[name].max_tokens)
            for name, of in texts.items()
        }
        return Batch(
            step=step,
            epoch=(step + 1) * self._batch_size / self.order.epoch_length,
            ids=[row.id for row in rows],
            images=images,
            texts=texts,
            tokens=tokens,
            present=present,
            identities=identities,
            problems=list(problems.items()),
        )

    def _images(
        self, step: int, rows: Sequence[Row], epochs: np.ndarray, samples: np.ndarray
    ) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Every image view from one decode a record, and why some could not be decoded."""
        size = self._size if isinstance(self._size, int) else self._size(step)
        views = self._views.images
        draws = {
            name: uniforms(self._seed, epochs, samples, f"image:{name}", _CROP_DRAWS + COLOR_DRAWS) for name in views
        }
        pixels = {name: np.full((len(rows), size, size, 3), 255, np.uint8) for name in views}
        problems: dict[str, str] = {}
        for i, row in enumerate(rows):
            try:
                image = decode_image(row.image)
            except DataError as error:
                problems[row.id] = str(error)
                continue
            for name, view in views.items():
                pixels[name][i] = crop_view(image, view.augment, view.flip, size, draws[name][i])
        return {name: _colored(views[name], of, draws[name]) for name, of in pixels.items()}, problems

    def _check_kinds(self, corpus: Corpus, split: str) -> None:
        """Some record must have a text for every view; blocks are read until each view has met one."""
        unmet = {name: view.named_kinds() for name, view in self._views.texts.items()}
        everything = Reader(corpus, split, cached=1)
        there: set[str] = set()
        for block in range(len(everything.blocks)):
            there |= {text.kind for row in everything.rows(block) for text in row.texts}
            unmet = {name: kinds for name, kinds in unmet.items() if not kinds & there}
            if not unmet:
                return
        name, kinds = next(iter(unmet.items()))
        raise UsageError(
            f"the view {name!r} draws from {sorted(kinds)}, of which the corpus has none: it has {sorted(there)}"
        )


def iterate(source: BatchSource, start: int, stop: int, workers: int = 1) -> Iterator[Batch]:
    """Batches `start` to `stop`, made ahead by so many processes; the batches are the same for any number."""
    yield from DataLoader(
        source,
        batch_size=None,
        sampler=range(start, stop),
        num_workers=workers,
        collate_fn=_as_is,
        worker_init_fn=_ignore_interrupts,
    )


def _ignore_interrupts(worker: int) -> None:
    """Ctrl-C reaches every process of a terminal; when to stop is the main one's to decide."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _as_is(batch: Any) -> Any:
    return batch


def _colored(view: ImageView, pixels: np.ndarray, draws: np.ndarray) -> Tensor:
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    if view.augment != "official":
        return images.contiguous()
    floats = official_color(images.float() / 255, draws[:, _CROP_DRAWS:])
    return (floats * 255).round().to(torch.uint8)
