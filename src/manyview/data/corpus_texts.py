"""Corpus texts: the texts that a vocabulary is learned from, read again each time they are gone through."""

from collections.abc import Iterator, Sequence, Set

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.corpus import Corpus
from manyview.data.randomness import permutation

__all__ = ["MAX_TEXTS", "CorpusTexts"]

MAX_TEXTS = 10_000_000


class CorpusTexts:
    """The texts of some kinds in a split of several corpora, or a sample of them; nothing is held but a shard's texts.

    With more than `max_texts`, each corpus gives an equal part of so many, from its shards in a random order that is
    always the same. Images are not read.
    """

    def __init__(self, corpora: Sequence[Corpus], split: str, kinds: Set[str], max_texts: int = MAX_TEXTS) -> None:
        self._corpora, self._split, self._kinds = corpora, split, pa.array(sorted(kinds), pa.string())
        self._most = -(-max_texts // len(corpora))

    def __iter__(self) -> Iterator[str]:
        for corpus in self._corpora:
            left = self._most
            for shard in permutation(0, 0, "texts", len(corpus.manifest.splits[self._split])).tolist():
                texts = self._of_shard(corpus, shard)[:left]
                yield from texts
                left -= len(texts)
                if not left:
                    break

    def _of_shard(self, corpus: Corpus, shard: int) -> list[str]:
        found: list[str] = []
        for chunk in corpus.texts(self._split, shard).chunks:
            texts = pc.list_flatten(chunk)
            wanted = pc.is_in(pc.struct_field(texts, "kind"), value_set=self._kinds)
            found += pc.struct_field(texts, "text").filter(wanted).drop_null().to_pylist()
        return found
