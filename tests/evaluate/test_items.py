from collections.abc import Callable

from manyview.corpus import Corpus, Record, Text
from manyview.evaluate.items import read_items

from .conftest import picture, thing


def test_items_are_the_records_without_their_images_in_corpus_order(corpus_of: Callable[..., Corpus]) -> None:
    mute = Record("mute", "g", picture(1), ())
    unsaid = Record("unsaid", "g", picture(2), (Text("title", "x"), Text("tags", "y", "zh")))
    corpus = corpus_of(test=[mute, unsaid, *(thing(number, tags=["a", "b"]) for number in range(9))])
    assert [(item.id, item.group, item.source, item.texts) for item in read_items(corpus, "test")] == [
        (record.id, record.group, record.source or "corpus", record.texts) for record in corpus.records("test")
    ]
