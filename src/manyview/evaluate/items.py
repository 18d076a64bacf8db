"""The records of a split without their images: what galleries and queries are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus import Corpus, Text

NO_SOURCE = "corpus"


@dataclass(frozen=True)
class Item:
    """A record without its image, and whether it has one; a record that names no source has the source "corpus"."""

    id: str
    group: str
    source: str
    texts: tuple[Text, ...]
    has_image: bool = True


def read_items(corpus: Corpus, split: str) -> list[Item]:
    """The items of a split in corpus order, read without touching the image column."""
    return [
        item
        for block in corpus.blocks(split)
        for item in _items(corpus.read(block, columns=["id", "group", "source", "image_hash", "texts"]))
    ]


def _items(table: pa.Table) -> Iterator[Item]:
    """Texts column by column: a dictionary for each of a million texts takes most of the time otherwise."""
    said = table["texts"].combine_chunks()
    parts = [pc.fill_null(said.flatten().field(name), "").to_pylist() for name in ("kind", "text", "lang")]
    texts = map(Text, *parts)
    counts = pc.list_value_length(said).to_pylist()
    columns = (table[name].to_pylist() for name in ("id", "group", "source", "image_hash"))
    for name, group, source, image_hash, count in zip(*columns, counts, strict=True):
        yield Item(name, group, source or NO_SOURCE, tuple(islice(texts, count)), has_image=image_hash != 0)
