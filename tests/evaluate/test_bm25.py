"""BM25 equals its definition, written as loops."""

import math

import numpy as np

from manyview.evaluate.bm25 import BM25

VOCABULARY = [f"w{i}" for i in range(12)]


def by_definition(query: list[str], document: list[str], documents: list[list[str]], k1: float, b: float) -> float:
    mean_length = sum(map(len, documents)) / len(documents)
    score = 0.0
    for word in set(document) & set(query):
        df = sum(word in one for one in documents)
        idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
        tf = document.count(word)
        score += query.count(word) * idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(document) / mean_length))
    return score


def test_scores_are_those_of_the_definition() -> None:
    rng = np.random.default_rng(0)

    def text(longest: int) -> list[str]:
        return rng.choice(VOCABULARY, rng.integers(0, longest)).tolist()

    for k1, b in ((1.2, 0.75), (0.5, 0.0), (2.0, 1.0)):
        documents = [text(15) for _ in range(30)]
        queries = [[*text(6), "unknown"] for _ in range(20)]
        chunks = list(BM25(documents, k1=k1, b=b).score_chunks(queries, chunk_bytes=4 * 30 * 7))
        assert [chunk[:2] for chunk in chunks] == [(0, 7), (7, 14), (14, 20)]
        expected = [[by_definition(query, document, documents, k1, b) for document in documents] for query in queries]
        np.testing.assert_allclose(np.concatenate([scores for _, _, scores in chunks]), expected, rtol=1e-5)


def test_documents_without_words_score_nothing() -> None:
    ((_, _, scores),) = BM25([[], []]).score_chunks([["w1"]])
    assert scores.tolist() == [[0.0, 0.0]]
