"""Laws of the texts that a vocabulary is learned from: all of them or a spread sample, and never an image."""

from collections import Counter

import pyarrow as pa
import pytest

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.data.corpus_texts import CorpusTexts
from manyview.model import train_wordpiece

WORDS = ("ant", "bear", "cat", "deer", "emu", "fox", "gnu", "hen", "ibis", "jay", "kiwi", "lion", "mole", "newt")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory):
    """Two corpora of many shards, in different words."""
    found = []
    for number, name in enumerate(("first", "second")):
        folder = tmp_path_factory.mktemp("texts") / name
        records = [
            Record(f"{i}", f"{i}", b"not even an image", (Text("title", f"{name} {word} {i}"), Text("tags", word)))
            for i in range(300)
            for word in [WORDS[(i + 7 * number) % len(WORDS)]]
        ]
        write_corpus(folder, {"train": records}, name=name, max_shard_bytes=3_000, row_group_bytes=1_000)
        found.append(Corpus.open(folder))
    return found


def texts(corpora, kind):
    return [t.text for corpus in corpora for record in corpus.records("train") for t in record.texts if t.kind == kind]


def test_all_texts_of_the_kinds_come_each_time_they_are_gone_through(corpora):
    read = CorpusTexts(corpora, "train", {"title"})
    assert Counter(read) == Counter(texts(corpora, "title"))
    assert list(read) == list(read)


def test_a_sample_is_always_the_same_and_spread_over_corpora_and_shards(corpora):
    assert len(corpora[0].manifest.splits["train"]) > 8
    read = list(CorpusTexts(corpora, "train", {"title"}, max_texts=100))
    assert read == list(CorpusTexts(corpora, "train", {"title"}, max_texts=100))
    assert Counter(text.split()[0] for text in read) == {"first": 50, "second": 50}
    assert set(read) < set(texts(corpora, "title"))
    in_order = texts(corpora[:1], "title")
    places = sorted(in_order.index(text) for text in read if text.startswith("first"))
    assert places[0] < 150 < places[-1]


def test_no_image_is_read_and_no_more_than_a_shard_is_held(corpora, monkeypatch):
    asked = []
    genuine = Corpus.texts

    def watched(corpus, split, shard) -> pa.ChunkedArray:
        asked.append((corpus.manifest.name, shard))
        return genuine(corpus, split, shard)

    monkeypatch.setattr(Corpus, "texts", watched)
    monkeypatch.setattr(Corpus, "read", lambda *_: pytest.fail("a block was read"))
    read = iter(CorpusTexts(corpora, "train", {"title"}))
    assert not asked
    next(read)
    assert len(asked) == 1
    list(read)
    shards = [(c.manifest.name, i) for c in corpora for i in range(len(c.manifest.splits["train"]))]
    assert sorted(asked) == sorted(shards)


def test_a_vocabulary_is_learned_from_all_texts_without_holding_them(corpora):
    times = []

    class Watched(CorpusTexts):
        def __iter__(self):
            times.append(0)
            for text in super().__iter__():
                times[-1] += 1
                yield text

    vocabulary = train_wordpiece(Watched(corpora, "train", {"title", "tags"}), 2_000).tokenizer.get_vocab()
    expected = texts(corpora, "tags") + texts(corpora, "title")
    assert times == [len(expected)] * 2  # for the characters, then for the words
    assert {word for text in expected for word in text.split()} <= set(vocabulary)
    assert {token for token in vocabulary if len(token) == 1} == {*"".join(expected)} - {" "}
