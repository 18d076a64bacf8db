"""Laws of learned record weights: the best on the grid, ties to the smaller change, sentences where there are none."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manyview.corpus import Corpus, Record, Text
from manyview.evaluate import evaluate_records, learn_record_weights, record_weigher
from manyview.evaluate.record_weights import GRID, search_weights
from manyview.model import RecordConfig

from .conftest import ColorModel, number_in, picture, thing

Build = Callable[..., Corpus]


def test_the_search_finds_the_best_weights_where_each_counts_by_itself() -> None:
    aim = {"title": 4.0, "tags": 0.25, "caption": 1.0}

    def value(weights: dict[str, float]) -> float:
        return -sum(abs(math.log(weights[view] / best)) for view, best in aim.items())

    found, reached = search_weights(value, sorted(aim))
    grid = (dict(zip(aim, weights, strict=True)) for weights in itertools.product(GRID, repeat=3))
    assert found == aim == max(grid, key=value)
    assert reached == value(aim)


def test_of_weights_that_are_worth_the_same_the_smaller_change_is_taken() -> None:
    assert search_weights(lambda weights: 0.5, ["title", "tags"])[0] == {"title": 1.0, "tags": 1.0}
    assert search_weights(lambda weights: float(weights["title"] >= 2), ["title"])[0] == {"title": 2.0}
    assert search_weights(lambda weights: 1e-4 * weights["title"], ["title"])[0] == {"title": 1.0}


def misleading(number: int, wrong: int) -> Record:
    """A record whose picture and title mean other ones' numbers."""
    texts = [Text(kind, f"{kind} {number}", "en") for kind in ("caption", "tags")]
    return Record(
        f"id-{number:03}", f"g-{number}", picture(2 * wrong), (*texts, Text("title", f"title {wrong}", "en")), "s"
    )


def test_a_kind_that_misleads_counts_little_and_the_result_is_the_mean_over_kinds(corpus_of: Build) -> None:
    corpus = corpus_of(val=[misleading(number, (number + 7) % 60) for number in range(60)])
    model = ColorModel(number_in, noise=2.0)
    learned = learn_record_weights(model, [corpus], "val")
    assert learned is not None
    assert learned.weights["image"] == 1.0
    assert learned.weights["title"] < min(learned.weights["tags"], learned.weights["caption"])
    for weights, mrr in (({}, learned.mrr_of_ones), (learned.weights, learned.mrr)):
        tree = evaluate_records(model, corpus, "val", record=RecordConfig(weights=weights)).to_dict()["s"]
        assert mrr == pytest.approx(np.mean([tree[kind]["record"]["mrr"] for kind in ("title", "caption", "tags")]))
    assert learned.mrr > learned.mrr_of_ones
    assert learn_record_weights(model, [corpus], "val") == learned


def test_weights_are_learned_from_queries_in_the_languages_of_training(corpus_of: Build) -> None:
    """The same with texts of another language added, which the model takes for another number."""
    plain = [misleading(number, number) for number in range(30)]
    more = [
        replace(r, id=f"{r.id}-fr", texts=(*r.texts, Text("tags", f"etiquette {n + 9}", "fr")))
        for n, r in enumerate(plain)
    ]

    model = ColorModel(number_in, noise=2.0)
    corpus = corpus_of(plain=plain, more=more)
    english = RecordConfig(langs=("en",))
    plainly, among_others = (learn_record_weights(model, [corpus], split, record=english) for split in corpus.splits)
    assert plainly is not None
    assert among_others is not None
    assert among_others.weights == plainly.weights
    assert among_others.mrr == pytest.approx(plainly.mrr)


def test_without_a_split_or_a_task_weights_stay_and_a_sentence_says_why(corpus_of: Build) -> None:
    corpus = corpus_of(val=[replace(thing(n), texts=thing(n).texts[:1]) for n in range(20)])
    model = ColorModel(number_in)
    assert learn_record_weights(model, [corpus], "val") is None
    assert record_weigher({"shop": corpus}, "val")(model) == (
        {},
        "record weights stay 1: in the split 'val' no kind of text asks for 10 records that say something else",
    )
    assert record_weigher({"shop": corpus}, "dev")(model) == (
        {},
        "record weights stay 1: no corpus has the split 'dev' to learn them on",
    )


def test_the_weigher_gives_what_is_learned_and_says_it(corpus_of: Build) -> None:
    corpus = corpus_of(val=[thing(number, tags=[f"tag {number}"]) for number in range(20)])
    model = ColorModel(number_in)
    weights, sentence = record_weigher({"shop": corpus}, "val")(model)
    assert weights == {"image": 1.0, "tags": 1.0, "title": 1.0}
    assert sentence.startswith("record weights, learned on the split 'val': image 1, tags 1, title 1 (mean reciprocal")
