"""Text keys: a 64-bit number for what a row says, by which equal texts are counted and found."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.fingerprint import identity, normalized_text

__all__ = ["said_keys", "text_keys"]


def text_keys(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """[n] int64: `text_identity` of each text; 0 for null."""
    return _by_distinct(texts, lambda text: identity(normalized_text(text).encode()))


def said_keys(views: pa.Table, *columns: str) -> np.ndarray:
    """[n] uint64, equal for rows that say the same in the same `columns`, of "id" and "kind" or neither.

    Where the table has a column `said`, it holds the `text_keys` already.
    """
    known = "said" in views.column_names
    key = (views["said"].to_numpy() if known else text_keys(views["text"])).view(np.uint64)
    for column in columns:
        own = _by_distinct(views[column], lambda value: identity(value.encode())).view(np.uint64)
        key = (key ^ own) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(32)
    return key


def _by_distinct(values: pa.Array | pa.ChunkedArray, number: Callable[[str], int]) -> np.ndarray:
    encoded = pc.dictionary_encode(values)
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.unify_dictionaries().combine_chunks()
    distinct = np.array([number(value) for value in encoded.dictionary.to_pylist()] + [0], np.int64)
    numbers: np.ndarray = distinct[encoded.indices.fill_null(len(distinct) - 1).to_numpy(zero_copy_only=False)]
    return numbers
