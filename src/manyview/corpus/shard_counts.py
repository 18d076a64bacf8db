"""Shard counts: what the manifest says of the rows in a shard, so that readers need not open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.table import NO_IMAGE_HASH

__all__ = ["ShardCounts", "TextCounts", "add_text_counts", "source_counts", "text_counts"]

TextCounts = dict[str, dict[str, int]]
"""Number of texts by kind, then by language ('' where it is unknown)."""

MAX_SOURCES = 256  # with more, the counts would outgrow what they save


class ShardCounts:
    """Counts of a shard, taken as its row groups are written."""

    def __init__(self) -> None:
        self._row_groups: list[int] = []
        self._images = 0
        self._sources: list[Counter[str]] = []
        self._texts: TextCounts = {}

    def add(self, row_group: pa.Table) -> None:
        """Count a row group with the columns `image_hash`, `source` and `texts`."""
        self._row_groups.append(len(row_group))
        self._images += _image_count(row_group["image_hash"])
        self._sources.append(source_counts(row_group["source"]))
        add_text_counts(self._texts, text_counts(row_group["texts"]))

    def entries(self) -> dict[str, Any]:
        """The fields `row_groups`, `images`, `texts` and `sources` of a Shard.

        No `images` where every record has one, no `sources` where there are more than 256.
        """
        names = sorted({name for counts in self._sources for name in counts})
        sources = {name: tuple(counts[name] for counts in self._sources) for name in names}
        return {
            "row_groups": tuple(self._row_groups),
            "images": self._images if self._images < sum(self._row_groups) else None,
            "texts": {kind: dict(sorted(langs.items())) for kind, langs in sorted(self._texts.items())},
            "sources": sources if len(names) <= MAX_SOURCES else None,
        }


def _image_count(hashes: pa.ChunkedArray) -> int:
    """How many records have an image, by the column `image_hash`."""
    counted: int = pc.sum(pc.fill_null(pc.not_equal(hashes, NO_IMAGE_HASH), True), min_count=0).as_py()
    return counted


def text_counts(texts: pa.ChunkedArray) -> TextCounts:
    """Counts of a column of lists of texts; entries without a text do not count."""
    counts: TextCounts = {}
    for chunk in texts.chunks:
        entries = pc.list_flatten(chunk)
        entries = entries.filter(pc.is_valid(pc.struct_field(entries, "text")))
        kinds, langs = (
            pc.fill_null(pc.struct_field(entries, name), "").dictionary_encode() for name in ("kind", "lang")
        )
        shape = len(kinds.dictionary), len(langs.dictionary)
        pairs = kinds.indices.to_numpy() * shape[1] + langs.indices.to_numpy()
        table = np.bincount(pairs, minlength=shape[0] * shape[1]).reshape(shape).tolist()
        for kind, row in zip(kinds.dictionary.to_pylist(), table, strict=True):
            by_lang = zip(langs.dictionary.to_pylist(), row, strict=True)
            add_text_counts(counts, {kind: {lang: count for lang, count in by_lang if count}})
    return counts


def add_text_counts(total: TextCounts, more: TextCounts) -> None:
    """Add counts to a total, in place."""
    for kind, langs in more.items():
        sums = total.setdefault(kind, {})
        for lang, count in langs.items():
            sums[lang] = sums.get(lang, 0) + count


def source_counts(sources: pa.ChunkedArray) -> Counter[str]:
    """Rows of each source; null counts as ''."""
    counts: Iterable[dict[str, Any]] = pc.value_counts(pc.fill_null(sources, "")).to_pylist()
    return Counter({row["values"]: row["counts"] for row in counts})
