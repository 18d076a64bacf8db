"""Said: the texts of a block as columns, one entry a text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.fingerprint import identity, normalized_text

__all__ = ["OTHER_KINDS", "KindNumbers", "Said"]

OTHER_KINDS = "(further kinds)"
_REMEMBERED_CHARACTERS = 64


class KindNumbers:
    """Numbers the kinds in order of appearance, up to `most`; the last number is all further ones'."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.names: list[str] = []
        self._numbers: dict[str, int] = {}

    def __getitem__(self, kind: str) -> int:
        if kind not in self._numbers:
            if len(self.names) >= self._most - 1:
                kind = OTHER_KINDS
            if kind not in self._numbers:
                self._numbers[kind] = len(self.names)
                self.names.append(kind)
        return self._numbers[kind]


@dataclass(frozen=True)
class Said:
    """The entries of `rows` records in their order; entries that are empty once normalized are only counted.

    `row` counts from the first record of the block, `kind` indexes KindNumbers, `empty` is by that too.
    `lang` indexes `langs`; `text` holds the texts themselves.
    """

    rows: int
    row: np.ndarray
    kind: np.ndarray
    identity: np.ndarray
    characters: np.ndarray
    lang: np.ndarray
    langs: list[str]
    text: pa.Array
    empty: np.ndarray

    @classmethod
    def of(cls, column: pa.ListArray, kinds: KindNumbers) -> Said:
        """Entries without a kind are of kind ""; those without a text are empty."""
        kind_field, text_field, lang_field, _ = column.flatten().flatten()
        kind_of, names = _coded(kind_field)
        kind = np.array([kinds[name] for name in names], np.int64)[kind_of]
        text_of, texts = _coded(text_field)
        identities = np.array([_identity(text) for text in texts], np.int64)[text_of]
        characters = np.array([len(text) for text in texts], np.int64)[text_of]
        lang, langs = _coded(lang_field)
        there = identities != _EMPTY
        return cls(
            rows=len(column),
            row=pc.list_parent_indices(column).to_numpy()[there],
            kind=kind[there],
            identity=identities[there],
            characters=characters[there],
            lang=lang[there],
            langs=langs,
            text=text_field.filter(pa.array(there)),
            empty=np.bincount(kind[~there], minlength=len(kinds.names)),
        )

    def first_of_kind(self) -> np.ndarray:
        """The entries that are the first of their kind in their record."""
        return np.unique(self.row.astype(np.int64) * 64 + self.kind, return_index=True)[1]

    def entries(self, row: int) -> range:
        """The entries of a record."""
        first, stop = np.searchsorted(self.row, (row, row + 1))
        return range(first, stop)


def _coded(field: pa.Array) -> tuple[np.ndarray, list[str]]:
    """A number for each value, counted in order of appearance, and what the numbers stand for; null is ""."""
    encoded = field.fill_null("").dictionary_encode()
    return encoded.indices.to_numpy(), encoded.dictionary.to_pylist()


def _identity(text: str) -> int:
    return _remembered(text) if len(text) <= _REMEMBERED_CHARACTERS else _computed(text)


def _computed(text: str) -> int:
    return identity(normalized_text(text).encode())


_remembered = lru_cache(maxsize=1 << 17)(_computed)
_EMPTY = identity(b"")
