"""Reader: rows of a corpus by block, as much of them as the views need."""

from collections import OrderedDict
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.corpus import Corpus
from manyview.corpus.fingerprint import identity
from manyview.corpus.record import Text
from manyview.data.languages import LanguageWeights

__all__ = ["Reader", "Row"]

_COLUMNS = ("id", "image", "image_hash", "texts")


@dataclass(frozen=True)
class Row:
    """A record as training sees it; `sample` is the 64-bit hash of its id that seeds its randomness."""

    id: str
    sample: int
    image: bytes
    image_hash: int
    texts: tuple[Text, ...]


class Reader:
    """Reads whole blocks of a split of one or several corpora and keeps the last `cached`: memory is bounded by that.

    `kinds` (None: all) name the texts worth keeping, and `langs` the languages: where a record has texts of a kind in
    one of them, its texts of that kind in other languages are left out.
    """

    def __init__(
        self,
        corpora: Sequence[Corpus],
        split: str,
        cached: int,
        kinds: Set[str] | None = None,
        langs: Set[str] | None = None,
    ) -> None:
        self._corpora = corpora
        self._blocks = [(number, block) for number, corpus in enumerate(corpora) for block in corpus.blocks(split)]
        self.cached = cached
        self._kinds, self._langs = kinds, langs
        self._kept: OrderedDict[int, list[Row]] = OrderedDict()

    @property
    def lengths(self) -> tuple[int, ...]:
        """Rows of each block."""
        return tuple(block.rows for _, block in self._blocks)

    def rows(self, block: int) -> list[Row]:
        """The rows of a block. Raises DataError naming the file when it is damaged."""
        if block not in self._kept:
            self._kept[block] = list(self._parse(self._read(block, _COLUMNS)))
            if len(self._kept) > self.cached:
                self._kept.popitem(last=False)
        self._kept.move_to_end(block)
        return self._kept[block]

    def rows_by_corpus(self) -> dict[int, list[Sequence[int]]]:
        """For each corpus, by its number, the numbers of its rows in each block: all or none."""
        return {
            number: [range(block.rows if of == number else 0) for of, block in self._blocks]
            for number in range(len(self._corpora))
        }

    def rows_by_source(self) -> dict[tuple[int, str], list[list[int]]]:
        """The same for each (number of the corpus, source); reads one column of all blocks."""
        found: dict[tuple[int, str], list[list[int]]] = {}
        for number, (corpus, _) in enumerate(self._blocks):
            for row, source in enumerate(self._read(number, ("source",)).column("source").to_pylist()):
                found.setdefault((corpus, source or ""), [[] for _ in self._blocks])[number].append(row)
        return dict(sorted(found.items()))

    def _read(self, number: int, columns: Sequence[str]) -> pa.Table:
        corpus, block = self._blocks[number]
        return self._corpora[corpus].read(block, columns)

    def _parse(self, table: pa.Table) -> Iterator[Row]:
        texts = self._texts(table.column("texts").combine_chunks())
        columns = (table.column(name).to_pylist() for name in ("id", "image", "image_hash"))
        for name, image, image_hash, said in zip(*columns, texts, strict=True):
            yield Row(name, identity(name.encode()), image["bytes"] or b"", image_hash, said)

    def _texts(self, column: pa.ListArray) -> list[tuple[Text, ...]]:
        flat = column.flatten()
        record = pc.list_parent_indices(column)
        keep = pc.is_valid(flat.field("text"))
        if self._kinds is not None:
            keep = pc.and_(keep, pc.is_in(flat.field("kind"), value_set=pa.array(sorted(self._kinds), pa.string())))
        flat, record = flat.filter(keep), record.filter(keep)
        if self._langs is not None:
            keep = self._in_preferred_language(flat, record)
            flat, record = flat.filter(keep), record.filter(keep)
        said: list[list[Text]] = [[] for _ in range(len(column))]
        fields = (flat.field(name).to_pylist() for name in ("kind", "text", "lang", "weight"))
        for i, kind, text, lang, weight in zip(record.to_pylist(), *fields, strict=True):
            said[i].append(Text(kind, text, lang or "", 1.0 if weight is None else weight))
        return [tuple(texts) for texts in said]

    def _in_preferred_language(self, texts: pa.StructArray, record: pa.Array) -> pa.Array:
        """Which texts are in a preferred language, or are of a record that has none of their kind in one."""
        lang = pc.dictionary_encode(pc.fill_null(texts.field("lang"), ""))
        known = LanguageWeights(sorted(self._langs or ()))
        preferred = np.array([bool(known.shares([code])) for code in lang.dictionary.to_pylist()], bool)
        kind = pc.dictionary_encode(pc.fill_null(texts.field("kind"), ""))
        places = record.to_numpy() * len(kind.dictionary) + kind.indices.to_numpy()
        keep = preferred[lang.indices.to_numpy()]
        has_preferred = np.bincount(places[keep], minlength=places.max(initial=-1) + 1) > 0
        return pa.array(keep | ~has_preferred[places])
