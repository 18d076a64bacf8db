"""BM25: search by the words that query and document have in common, the control of every search by vectors.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), eq. 3.15, with Lucene's idf,
which is never negative.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from manyview.evaluate.ranks import CHUNK_BYTES, Features, ScoreChunk, chunk_bounds

K1, B = 1.2, 0.75


class BM25:
    """An index of n documents, each a sequence of words.

    The score of a document is the sum over the query's words of
    idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)), idf = ln(1 + (n - df + 0.5) / (df + 0.5)).
    """

    def __init__(self, documents: Sequence[Sequence[str]], *, k1: float = K1, b: float = B) -> None:
        self.size = len(documents)
        self._terms: dict[str, int] = {}
        terms = [self._terms.setdefault(word, len(self._terms)) for words in documents for word in words]
        lengths = np.array([len(words) for words in documents], dtype=np.float64)
        owners = np.repeat(np.arange(self.size), lengths.astype(np.int64))
        postings, times = np.unique(np.array(terms, dtype=np.int64) * self.size + owners, return_counts=True)
        term, self._documents = np.divmod(postings, max(1, self.size))
        frequency = np.bincount(term, minlength=len(self._terms))
        self._offsets = np.concatenate([[0], np.cumsum(frequency)])
        idf = np.log1p((self.size - frequency + 0.5) / (frequency + 0.5))
        saturation = k1 * (1 - b + b * lengths / max(1.0, lengths.mean() if self.size else 0.0))
        weights = idf[term] * times * (k1 + 1) / (times + saturation[self._documents])
        self._weights: Features = weights.astype(np.float32)

    def score_chunks(self, queries: Sequence[Sequence[str]], chunk_bytes: int = CHUNK_BYTES) -> Iterator[ScoreChunk]:
        """Scores of all documents, zero where they have no word of the query; a run of queries at a time."""
        for start, stop in chunk_bounds(len(queries), self.size, chunk_bytes):
            scores = np.zeros((stop - start, self.size), dtype=np.float32)
            for row, words in zip(scores, queries[start:stop], strict=True):
                for word, times in Counter(words).items():
                    if (term := self._terms.get(word)) is not None:
                        having = slice(self._offsets[term], self._offsets[term + 1])
                        row[self._documents[having]] += times * self._weights[having]
            yield start, stop, scores
