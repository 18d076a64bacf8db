"""Lengths: characters of every text, tokens of those of the sample."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Set

import numpy as np

from manyview.corpus.doctor.quantiles import add_values
from manyview.corpus.doctor.said import KindNumbers, Said
from manyview.corpus.doctor.tokens import CountTokens

__all__ = ["Lengths", "rendered"]

_MOST_CHARACTERS = 20_000


class Lengths:
    """Counts by kind; lists are measured as training renders them, their entries of one language joined by commas."""

    def __init__(self, kinds: KindNumbers, lists: Set[str], count: CountTokens) -> None:
        self._kinds, self._lists, self._count = kinds, lists, count
        self.characters: defaultdict[str, Counter[int]] = defaultdict(Counter)
        self.tokens: defaultdict[str, Counter[int]] = defaultdict(Counter)

    def add(self, said: Said) -> None:
        for number in np.unique(said.kind).tolist():
            add_values(self.characters[self._kinds.names[number]], said.characters[said.kind == number])

    def add_sampled(self, said: Said, rows: Iterable[int]) -> None:
        """Count the tokens of some records."""
        texts: defaultdict[str, list[str]] = defaultdict(list)
        for row in rows:
            for kind, text in rendered(said, row, self._kinds, self._lists):
                texts[kind].append(text[:_MOST_CHARACTERS])
        for kind, of in texts.items():
            self.tokens[kind].update(self._count(of))


def rendered(said: Said, row: int, kinds: KindNumbers, lists: Set[str]) -> Iterator[tuple[str, str]]:
    """(kind, text) of a record, one text a language for lists."""
    joined: dict[tuple[str, int], list[str]] = {}
    for entry in said.entries(row):
        kind, text = kinds.names[said.kind[entry]], said.text[entry].as_py()
        if kind in lists:
            joined.setdefault((kind, int(said.lang[entry])), []).append(text)
        else:
            yield kind, text
    for (kind, _), texts in joined.items():
        yield kind, ", ".join(texts)
