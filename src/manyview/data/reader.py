"""Reader: rows of a corpus by block, as much of them as the views need."""

from collections import OrderedDict
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.blocks import Blocks
from manyview.corpus.corpus import read_block
from manyview.corpus.fingerprint import identity
from manyview.corpus.record import Text
from manyview.corpus.table import encoded_image
from manyview.data.languages import LanguageWeights
from manyview.errors import DataError

__all__ = ["Reader", "Row"]

_COLUMNS = ("id", "image", "image_hash", "texts")


@dataclass(frozen=True)
class Row:
    """A record as training sees it; `sample` is the 64-bit hash of its id that seeds its randomness.

    `image` is None for a record of texts only.
    """

    id: str
    sample: int
    image: bytes | None
    image_hash: int
    texts: tuple[Text, ...]


@dataclass(frozen=True)
class _BlockRows:
    """The rows of a block, and the numbers of those of each source where they are wanted."""

    rows: list[Row]
    of_source: dict[str, list[int]]


class Reader:
    """Reads whole blocks, of one or several corpora, and keeps the last `cached`: memory is bounded by that.

    `kinds` (None: all) name the texts worth keeping, and `langs` the languages: where a record has texts of a kind in
    one of them, its texts of that kind in other languages are left out. `by_source` says that rows are asked for by
    source, `images` that they are asked for their images.
    """

    def __init__(
        self,
        blocks: Blocks,
        cached: int,
        kinds: Set[str] | None = None,
        langs: Set[str] | None = None,
        *,
        by_source: bool = False,
        images: bool = True,
    ) -> None:
        self.blocks = blocks
        self.cached = cached
        self._kinds, self._langs = kinds, langs
        self._columns = tuple(name for name in _COLUMNS if images or name != "image")
        self._columns += ("source",) if by_source else ()
        self._kept: OrderedDict[int, _BlockRows] = OrderedDict()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_kept": OrderedDict()}

    def row(self, block: int, number: int, source: str | None = None) -> Row:
        """A row of a block, by its number among all, or among those of a source.

        Raises DataError naming the file when it is damaged, or holds fewer rows than its manifest counts.
        """
        kept = self._block_rows(block)
        if source is None:
            return kept.rows[number]
        numbers = kept.of_source.get(source, [])
        if number >= len(numbers):
            raise DataError(f"{self.blocks[block].file} has fewer rows of the source {source!r} than were counted")
        return kept.rows[numbers[number]]

    def _block_rows(self, number: int) -> _BlockRows:
        if number not in self._kept:
            table = read_block(self.blocks[number], self._columns)
            of_source: dict[str, list[int]] = {}
            if "source" in self._columns:
                for row, source in enumerate(table.column("source").to_pylist()):
                    of_source.setdefault(source or "", []).append(row)
            self._kept[number] = _BlockRows(list(self._parse(table)), of_source)
            if len(self._kept) > self.cached:
                self._kept.popitem(last=False)
        self._kept.move_to_end(number)
        return self._kept[number]

    def _parse(self, table: pa.Table) -> Iterator[Row]:
        texts = self._texts(table.column("texts").combine_chunks())
        ids, hashes = (table.column(name).to_pylist() for name in ("id", "image_hash"))
        images = table.column("image").to_pylist() if "image" in self._columns else [None] * len(table)
        for name, image, image_hash, said in zip(ids, images, hashes, texts, strict=True):
            yield Row(name, identity(name.encode()), encoded_image(image), image_hash, said)

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
