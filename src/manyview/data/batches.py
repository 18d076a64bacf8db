"""Batches: steps become image views, text views and masks."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from manyview.corpus.blocks import Blocks
from manyview.corpus.corpus import Corpus
from manyview.corpus.fingerprint import text_identity
from manyview.corpus.shard_counts import TextCounts, add_text_counts
from manyview.data.color import COLOR_DRAWS, fast_color, official_color
from manyview.data.feature_store import FeatureStore
from manyview.data.images import CROP_DRAWS, crop_exactly, crop_fast, decode_pixels, draw_crop, shortest_needed
from manyview.data.languages import LanguageWeights
from manyview.data.order import MixedOrder, Order, Places
from manyview.data.randomness import uniforms
from manyview.data.reader import Reader, Row
from manyview.data.streams import Stream, make_streams, pass_length
from manyview.data.text_coverage import views_without_texts
from manyview.data.texts import RenderedText, render_texts
from manyview.data.views import ImageView, ViewsConfig
from manyview.errors import DataError, UsageError

__all__ = ["Batch", "BatchSource", "Tokenize"]

Tokenize = Callable[[Sequence[str], int], dict[str, Tensor]]


@dataclass(frozen=True)
class Batch:
    """One step's views of n records, view by view; padding at the end has no id and every view absent.

    `images` [m, 3, size, size] uint8, channels last in memory, and `tokens`, packed as `tokenize` gives them, hold only
    the rows that are present; `present` [n] bool and `identities` [n] int64 for every view; `problems` are (id, reason)
    of images that could not be decoded, whose image views are absent, as are those of records without an image.
    `weights` [n] float32, 0 for absent rows, only of the views whose rows count by the weight of their text.
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
    weights: dict[str, Tensor] = field(default_factory=dict)


class BatchSource:
    """Batch number `step` of a split: a pure function of its arguments, whoever asks and in what order.

    Several corpora are read side by side, each with its part of every batch in proportion to `weights`; where one has
    records without an image, these are spread evenly over the batch.
    `source_exponent`: a source's part of its corpus's goes with its size to this power. With `lanes`, each stream
    of records is read as so many side by side, so that a process opens only the blocks of its own. Process `rank` of
    `world_size` gets its part of the batch, as many rows on each, the last ones padded with absent rows.
    With `image_features`, image views are what that store has for the images, [n, width], and images are not read.
    Raises UsageError when no record of the corpora has any text for a view.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        split: str,
        views: ViewsConfig,
        tokenize: Tokenize,
        *,
        size: int | Callable[[int], int],
        batch_size: int,
        seed: int,
        window: int = 16,
        source_exponent: float = 1.0,
        weights: Sequence[float] = (1.0,),
        lanes: int = 1,
        rank: int = 0,
        world_size: int = 1,
        image_features: FeatureStore | None = None,
    ) -> None:
        kinds = set().union(*(view.named_kinds() for view in views.texts.values()))
        self._langs = {name: LanguageWeights(views.langs_of(name)) for name in views.texts}
        preferred = {langs.preferred for langs in self._langs.values()}
        blocks = [corpus.blocks(split) for corpus in corpora]
        streams = make_streams(corpora, split, blocks, weights=weights, source_exponent=source_exponent, lanes=lanes)
        self._reader = Reader(
            Blocks.joined(blocks),
            window + 1,
            kinds,
            preferred.pop() if len(preferred) == 1 else None,
            by_source=len(streams) > 1 and source_exponent != 1,
            images=image_features is None,
        )
        self._views, self._tokenize, self._size = views, tokenize, size
        self._batch_size, self._seed = batch_size, seed if views.renderings is None else 0
        self._image_features = image_features
        self._rank, self._each = rank, -(-batch_size // world_size)
        rows = self._reader.blocks.rows
        self.order: Order | MixedOrder = Order(rows, seed, window)
        self._sources: list[str | None] = [None]
        if len(streams) > 1:
            with_image = [corpus.image_count(split) == corpus.splits[split] for corpus in corpora]
            groups = None if all(with_image) else [stream.corpus for stream in streams]
            self.order = _mixed_order(streams, groups, seed, window, len(rows))
            self._sources = [stream.source for stream in streams]
            opened = -(-len(streams) // world_size) if groups is None else len(set(self.places(0).stream.tolist()))
            self._reader.cached *= opened
        self.pass_length = pass_length(corpora, split, weights)
        self.images = sum(corpus.image_count(split) for corpus in corpora)
        self._check_size(split)
        self._check_texts(corpora, split)

    def __getitem__(self, step: int) -> Batch:
        places = self.places(step)
        there = torch.arange(self._each) < len(places)
        if len(places) < self._each:
            padding = self.order.batch(step, self._batch_size, 0, 1)
            places = Places.joined([places] + [padding] * (self._each - len(places)))
        columns = (places.block.tolist(), places.row.tolist(), places.stream.tolist())
        rows = [self._reader.row(block, row, self._sources[of]) for block, row, of in zip(*columns, strict=True)]
        epochs = self._drawn_epochs(places.epoch)
        samples = np.array([row.sample for row in rows], np.int64)
        records = int(there.sum())
        images, numbers, problems = self._images(step, rows[:records], epochs, samples)
        shown = torch.zeros(len(rows), dtype=torch.bool).index_fill(0, torch.tensor(numbers, dtype=torch.int64), True)
        rendered_texts = self._texts(rows, epochs, samples)
        for view_texts in rendered_texts.values():
            view_texts[records:] = [None] * (len(rows) - records)
        texts = {
            name: [text.text if text else None for text in view_texts] for name, view_texts in rendered_texts.items()
        }
        image_hashes = torch.tensor([row.image_hash for row in rows])
        present = dict.fromkeys(images, shown)
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
            epoch=(step + 1) * self._batch_size / self.pass_length,
            ids=[row.id for row in rows[:records]],
            images=images,
            texts=texts,
            tokens=tokens,
            present=present,
            identities=identities,
            problems=list(problems.items()),
            weights={
                name: torch.tensor([text.weight if text else 0.0 for text in rendered_texts[name]])
                for name, view in self._views.texts.items()
                if view.weighted
            },
        )

    @property
    def blocks(self) -> Blocks:
        """The row groups that are read."""
        return self._reader.blocks

    def renderings(self, block: int) -> Iterator[tuple[str, int]]:
        """Every text that the views show of a block's records, with its most tokens; `views.renderings` bounds them."""
        assert self._views.renderings is not None
        rows = [self._reader.row(block, number) for number in range(int(self.blocks.rows[block]))]
        samples = np.array([row.sample for row in rows], np.int64)
        for epoch in range(self._views.renderings):
            for name, texts in self._texts(rows, np.full(len(rows), epoch), samples).items():
                limit = self._views.texts[name].max_tokens
                yield from ((text.text, limit) for text in texts if text is not None)

    def places(self, step: int) -> Places:
        """Where the records of this process stand in step `step`, padding left out."""
        return self.order.batch(step, self._batch_size, self._rank * self._each, (self._rank + 1) * self._each)

    def _drawn_epochs(self, epochs: np.ndarray) -> np.ndarray:
        """The epochs whose numbers draw the views."""
        drawn: np.ndarray = epochs if self._views.renderings is None else epochs % self._views.renderings
        return drawn

    def _texts(
        self, rows: Sequence[Row], epochs: np.ndarray, samples: np.ndarray
    ) -> dict[str, list[RenderedText | None]]:
        """Every text view of some rows."""
        texts, lists = [row.texts for row in rows], self._views.lists
        return {
            name: render_texts(view, name, lists, texts, self._seed, epochs, samples, self._langs[name])
            for name, view in self._views.texts.items()
        }

    def _images(
        self, step: int, rows: Sequence[Row], epochs: np.ndarray, samples: np.ndarray
    ) -> tuple[dict[str, Tensor], list[int], dict[str, str]]:
        """Every image view from one decode a record, the numbers of the rows decoded, and why others could not be."""
        if self._image_features is not None:
            return self._stored_images(self._image_features, rows)
        whole = self._size if isinstance(self._size, int) else self._size(step)
        views = {name: (view, view.size or whole) for name, view in self._views.images.items()}
        draws = {
            name: uniforms(self._seed, epochs, samples, f"image:{name}", CROP_DRAWS + COLOR_DRAWS) for name in views
        }
        most = sum(row.image is not None for row in rows)
        pixels = {name: np.empty((most, size, size, 3), np.uint8) for name, (_, size) in views.items()}
        at_least = max(shortest_needed(view, size) for view, size in views.values())
        decoded, problems = list[int](), dict[str, str]()
        for i, row in enumerate(rows):
            if row.image is None:
                continue
            try:
                image = decode_pixels(row.image, at_least)
            except DataError as error:
                problems[row.id] = str(error)
                continue
            height, width = image.shape[:2]
            for name, (view, size) in views.items():
                crop = draw_crop(width, height, view, draws[name][i])
                cut = crop_fast if view.augment == "official" and not view.exact else crop_exactly
                pixels[name][len(decoded)] = cut(image, crop, size)
            decoded.append(i)
        images = {
            name: _colored(view, pixels[name][: len(decoded)], draws[name][decoded])
            for name, (view, _) in views.items()
        }
        return images, decoded, problems

    def _stored_images(
        self, store: FeatureStore, rows: Sequence[Row]
    ) -> tuple[dict[str, Tensor], list[int], dict[str, str]]:
        """What `_images` gives, of a store's features."""
        problems = {row.id: why for row in rows if (why := store.problem(row.image_hash)) is not None}
        shown = [number for number, row in enumerate(rows) if row.image_hash and row.id not in problems]
        features = store.rows([rows[number].image_hash for number in shown])
        return dict.fromkeys(self._views.images, features), shown, problems

    def _check_size(self, split: str) -> None:
        if self.order.epoch_length < self._batch_size:
            raise UsageError(
                f"the split {split!r} has {self.order.epoch_length} records, "
                f"fewer than batch_size={self._batch_size}: make the batch smaller"
            )

    def _check_texts(self, corpora: Sequence[Corpus], split: str) -> None:
        """Some record must have a text for every view; shards are asked until each view has met one."""
        counts: TextCounts = {}
        for of_shard in (of_shard for corpus in corpora for of_shard in corpus.shard_text_counts(split)):
            add_text_counts(counts, of_shard)
            if not views_without_texts(self._views, counts):
                return
        for sentence in views_without_texts(self._views, counts).values():
            raise UsageError(sentence)


def _mixed_order(
    streams: Sequence[Stream], groups: Sequence[int] | None, seed: int, window: int, num_blocks: int
) -> MixedOrder:
    """The order of streams side by side, those of a group spread evenly over the batch."""
    shape = {"seed": seed, "window": window, "num_blocks": num_blocks}
    orders = [Order(of.rows, blocks=of.blocks, stream=i, **shape) for i, of in enumerate(streams)]
    return MixedOrder(orders, [stream.share for stream in streams], groups)


def _colored(view: ImageView, pixels: np.ndarray, draws: np.ndarray) -> Tensor:
    images = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    if view.augment == "official" and view.exact:
        floats = official_color(images.float() / 255, draws[:, CROP_DRAWS:])
        return (floats * 255).round().to(torch.uint8)
    if view.augment == "official":
        fast_color(pixels, draws[:, CROP_DRAWS:])
    return images
