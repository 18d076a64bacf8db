"""Passes: the corpus is read once for its texts, a block at a time, and once for the sampled images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa

from manyview.corpus.doctor.agreement import Words, words
from manyview.corpus.doctor.catalog import CATALOG_COLUMNS, Catalog
from manyview.corpus.doctor.contents import Contents
from manyview.corpus.doctor.coverage import Coverage
from manyview.corpus.doctor.extremes import Extremes
from manyview.corpus.doctor.languages import Languages
from manyview.corpus.doctor.lengths import Lengths
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.looks import Looks
from manyview.corpus.doctor.rows import Rows
from manyview.corpus.doctor.said import KindNumbers, Said
from manyview.corpus.doctor.tokens import CountTokens

__all__ = ["TextPass", "look_at_images"]


class TextPass:
    """What is known once every text was read; `words` are those of the sampled records, by kind."""

    def __init__(self, limits: Limits, folder: Path, count: CountTokens) -> None:
        self._limits = limits
        self.kinds = KindNumbers(limits.max_kinds)
        lists = frozenset(limits.lists)
        self.catalog = Catalog(folder)
        self.contents = Contents(folder, self.kinds, lists)
        self.coverage = Coverage(self.kinds)
        self.lengths = Lengths(self.kinds, lists, count)
        self.languages = Languages(self.kinds)
        self.longest = Extremes(limits.examples)
        self.words: list[Mapping[str, Words]] = []
        self.textless: list[int] = []

    def read(self, rows: Rows, sample: np.ndarray) -> None:
        """Every readable block; `sample` holds the rows whose words are looked at, ascending."""
        sampled = {place.start: local for place, local in rows.containing(sample)}
        for place in rows.places:
            table = rows.read(place, (*CATALOG_COLUMNS, "texts"))
            if table is not None:
                self._add(table, place.start, sampled.get(place.start, np.empty(0, np.int64)))

    def _add(self, table: pa.Table, start: int, sampled: np.ndarray) -> None:
        self.catalog.add(table, start)
        said = Said.of(table["texts"].combine_chunks(), self.kinds)
        self.contents.add(said, start)
        self.coverage.add(said)
        self.lengths.add(said)
        self.languages.add(said)
        self.longest.add(said.characters, said.row.astype(np.int64) + start)
        if len(self.textless) < self._limits.examples:
            silent = np.flatnonzero(np.bincount(said.row, minlength=said.rows) == 0)
            self.textless += (silent[: self._limits.examples - len(self.textless)] + start).tolist()
        local = sampled.tolist()
        self.lengths.add_sampled(said, local)
        self.languages.add_sampled(said, local)
        self.words += [self._words(said, row) for row in local]

    def _words(self, said: Said, row: int) -> dict[str, Words]:
        texts: dict[str, list[str]] = {}
        for entry in said.entries(row):
            texts.setdefault(self.kinds.names[said.kind[entry]], []).append(said.text[entry].as_py())
        return {kind: words(of) for kind, of in texts.items()}


def look_at_images(rows: Rows, sample: np.ndarray, limits: Limits) -> Looks:
    """The images of the sampled rows, block by block."""
    looks = Looks(limits)
    for place, local in rows.containing(sample):
        table = rows.read(place, ("image", "image_hash"))
        if table is not None:
            chosen = table.take(pa.array(local))
            looks.add(chosen["image"], chosen["image_hash"], local + place.start)
    return looks
