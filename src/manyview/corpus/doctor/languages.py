"""Languages: what the texts are tagged with, and the scripts of those that are not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from manyview.corpus.doctor.said import KindNumbers, Said
from manyview.corpus.doctor.scripts import script_of
from manyview.corpus.doctor.tally import Tally

__all__ = ["Languages"]


class Languages:
    """Tags of every text by kind ("" where there is none), scripts of the untagged texts of the sample."""

    def __init__(self, kinds: KindNumbers) -> None:
        self._kinds = kinds
        self.tags: defaultdict[str, Tally] = defaultdict(Tally)
        self.scripts: defaultdict[str, Tally] = defaultdict(Tally)

    def add(self, said: Said) -> None:
        cells, counts = np.unique(said.kind * len(said.langs) + said.lang, return_counts=True)
        for cell, times in zip(cells.tolist(), counts.tolist(), strict=True):
            kind, lang = divmod(cell, len(said.langs))
            self.tags[self._kinds.names[kind]].add(said.langs[lang], times)

    def add_sampled(self, said: Said, rows: Iterable[int]) -> None:
        """Look at the untagged texts of some records."""
        for row in rows:
            for entry in said.entries(row):
                if not said.langs[said.lang[entry]]:
                    self.scripts[self._kinds.names[said.kind[entry]]].add(script_of(said.text[entry].as_py()))
