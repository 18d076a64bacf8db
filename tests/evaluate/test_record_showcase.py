from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manyview.corpus import Corpus, Record
from manyview.evaluate import encode_records, rank_records
from manyview.evaluate.record_showcase import record_showcase

from .conftest import ColorModel, thing

KIND = "tags, new words"


def number_meant(text: str) -> int:
    """The number in "thing 7" and in "tag-7"."""
    return int(text.replace("-", " ").rsplit(maxsplit=1)[-1])


@pytest.fixture
def corpus(corpus_of: Callable[..., Corpus]) -> Corpus:
    records = [thing(number, source="ab"[number % 2], tags=[f"tag-{number + 200}"]) for number in range(80)]
    return corpus_of(test=[_retagged(record) for record in records])


def _retagged(record: Record) -> Record:
    """Tags whose number is that of the title, 200 higher, so that they share no word with it."""
    return replace(record, texts=tuple(text for text in record.texts if text.lang == "en"))


def model(noise: float) -> ColorModel:
    return ColorModel(lambda text: number_meant(text) % 200, noise=noise)


def test_shown_ranks_are_those_of_the_evaluation(corpus: Corpus) -> None:
    encoded, better = (encode_records(model(noise), corpus, kinds=["tags"]) for noise in (3.0, 0.0))
    cells = rank_records(encoded).cells
    shown = record_showcase(encoded, corpus, kinds=[KIND], other=better, successes=3, failures=2)
    assert {one.source for one in shown} == {"a", "b"}
    for one in shown:
        cell = cells[one.source, one.query_kind, "record"]
        assert one.rank == cell.ranks[cell.names.index(one.text)]
        assert one.other_rank == 0
        assert one.rank == 0 or (one.missed and one.rank >= 10)
        assert one.gallery == cell.gallery


def test_the_bars_of_a_hit_are_the_cosines_of_the_query_with_its_other_views(corpus: Corpus) -> None:
    judge = model(1.0)
    encoded = encode_records(judge, corpus, kinds=["tags"])
    records = {record.texts[0].text: record for record in corpus.records("test")}
    for one in record_showcase(encoded, corpus, kinds=[KIND]):
        query = judge.encode_text([one.text])[0]
        for hit in one.hits:
            record = records[hit.title]
            assert record.image is not None
            expected = {
                "image": float(judge.encode_image([record.image])[0] @ query),
                "title": float(judge.encode_text([hit.title])[0] @ query),
            }
            assert hit.views == pytest.approx(expected, abs=1e-5)


def test_hits_are_marked_where_they_are_right(corpus: Corpus) -> None:
    encoded = encode_records(model(2.0), corpus, kinds=["tags"])
    for one in record_showcase(encoded, corpus, kinds=[KIND], top=5):
        assert [hit.correct for hit in one.hits] == [place == one.rank for place in range(5)]
        assert one.truth is not None
        assert one.truth.correct


def test_a_record_without_an_image_is_shown_by_its_words(corpus_of: Callable[..., Corpus]) -> None:
    records = [_retagged(thing(number, tags=[f"tag-{number + 200}"])) for number in range(40)]
    corpus = corpus_of(
        test=[replace(record, image=None if i % 2 else record.image) for i, record in enumerate(records)]
    )
    encoded = encode_records(model(0.0), corpus, kinds=["tags"])
    hits = [hit for one in record_showcase(encoded, corpus, kinds=[KIND], successes=20) for hit in one.hits]
    assert {bool(hit.thumbnail) for hit in hits} == {True, False}
    assert all(("image" in hit.views) == bool(hit.thumbnail) for hit in hits)
    assert np.isfinite([cosine for hit in hits for cosine in hit.views.values()]).all()
