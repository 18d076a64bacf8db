"""A held-out split as features: every image once, every distinct text once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Protocol

import numpy as np

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.evaluate.galleries import Gallery, Task, build_galleries, build_task, langs_by_kind
from manyview.evaluate.items import Item, read_items
from manyview.evaluate.queries import DEFAULT_LANG, QUERY_KINDS, QueryKind, kinds_present, query_kinds
from manyview.evaluate.ranks import Features
from manyview.evaluate.relation import Indices

if TYPE_CHECKING:
    import torch


class Encoder(Protocol):
    """The half of a DualEncoder that is judged: rows come L2-normalised."""

    def encode_image(self, images: Sequence[bytes], batch_size: int = 256) -> torch.Tensor: ...

    def encode_text(self, texts: Sequence[str], batch_size: int = 256) -> torch.Tensor: ...


@dataclass(frozen=True)
class EncodedSplit:
    """A split seen by one model.

    `image_features[i]` belongs to `items[i]`, and is zero for one without an image; `text_rows` gives the row of
    `text_features` of each text.
    """

    items: tuple[Item, ...]
    tasks: tuple[Task, ...]
    image_features: Features
    text_rows: Mapping[str, int]
    text_features: Features

    def images_of(self, gallery: Gallery) -> Features:
        return self.image_features[gallery.images]

    def texts_of(self, texts: Sequence[str]) -> Features:
        return self.text_features[[self.text_rows[text] for text in texts]]


def encode_split(
    model: Encoder,
    corpus: Corpus,
    split: str = "test",
    *,
    kinds: Sequence[str] | None = None,
    languages: Sequence[str] | None = None,
    default_lang: str = DEFAULT_LANG,
    every_image: bool = True,
    seed: int = 0,
    batch_size: int = 256,
) -> EncodedSplit:
    """Build galleries and queries of a split and encode all they hold.

    `kinds` are named as in `evaluate.queries`; each further language adds its title, tags and all. With neither,
    every kind in every language that the split has. Raises UsageError when no record has a text of any of these kinds.
    """
    items = read_items(corpus, split)
    if items and not any(item.has_image for item in items):
        raise UsageError(f"no record of the split {split!r} has a picture: there is nothing to find by a text")
    wanted = _query_kinds(items, kinds, languages, default_lang)
    galleries = build_galleries(items, default_lang=default_lang, every_image=every_image, seed=seed)
    built = [build_task(items, gallery, kind, default_lang=default_lang) for gallery in galleries for kind in wanted]
    tasks = tuple(task for task in built if task.texts)
    if not tasks:
        asked = [kind.name for kind in wanted]
        raise UsageError(
            f"split {split!r} has no text of the kinds {asked}; "
            f"its kinds and their languages are {langs_by_kind(items)}"
        )
    texts = list(dict.fromkeys(text for task in tasks for text in task.texts))
    pictures = np.flatnonzero([item.has_image for item in items])
    return EncodedSplit(
        items=tuple(items),
        tasks=tasks,
        image_features=encode_some_images(model, corpus, split, pictures, batch_size),
        text_rows={text: row for row, text in enumerate(texts)},
        text_features=encode_texts(model, texts, batch_size),
    )


def _query_kinds(
    items: Sequence[Item], kinds: Sequence[str] | None, languages: Sequence[str] | None, default_lang: str
) -> list[QueryKind]:
    if kinds is None and languages is None:
        return kinds_present((text for item in items for text in item.texts), default_lang)
    return query_kinds(QUERY_KINDS if kinds is None else kinds, languages or ())


def encode_images(model: Encoder, images: Iterable[bytes], batch_size: int = 256) -> Features:
    """Features [n, embed_dim]; a stream of images is never held as a whole."""
    batches = [_array(model.encode_image(batch, batch_size=batch_size)) for batch in _batches(images, 4 * batch_size)]
    return np.concatenate(batches or [_array(model.encode_image([]))])


def encode_some_images(model: Encoder, corpus: Corpus, split: str, chosen: Indices, batch_size: int = 256) -> Features:
    """Features [records, embed_dim] of a split, in corpus order; zero for records that are not chosen."""
    wanted = set(chosen.tolist())
    records = enumerate(corpus.records(split))
    images = (record.image for index, record in records if index in wanted and record.image is not None)
    encoded = encode_images(model, images, batch_size)
    features: Features = np.zeros((corpus.splits[split], encoded.shape[-1]), dtype=np.float32)
    features[np.sort(chosen)] = encoded
    return features


def encode_texts(model: Encoder, texts: Sequence[str], batch_size: int = 256) -> Features:
    """Features [n, embed_dim]."""
    return _array(model.encode_text(texts, batch_size=batch_size))


def _batches(images: Iterable[bytes], size: int) -> Iterator[list[bytes]]:
    waiting = iter(images)
    while batch := list(islice(waiting, size)):
        yield batch


def _array(features: torch.Tensor) -> Features:
    return features.detach().float().cpu().numpy()
