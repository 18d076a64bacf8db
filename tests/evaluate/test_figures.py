"""Laws of what a training asks of its model: any corpus with a text has a score, and one without is found before."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from manyview.corpus import Corpus, Text
from manyview.distributed import ALONE
from manyview.errors import UsageError
from manyview.evaluate import check_askable, evaluate_records, figures
from manyview.evaluate.figures import main_kind

from .conftest import ColorModel, number_in, thing

Build = Callable[..., Corpus]


@pytest.mark.parametrize("kind", ["title", "caption", "query", "alt", "note"])
@pytest.mark.parametrize("lang", ["", "en", "de", "zh-Hans"])
def test_a_corpus_of_any_kind_in_any_language_has_a_score(corpus_of: Build, kind: str, lang: str) -> None:
    """A single text is enough: training does not end at its first evaluation."""
    corpus = corpus_of(val=[replace(thing(n), texts=(Text(kind, f"thing {n}", lang),) * (n == 3)) for n in range(12)])
    check_askable({"one": corpus}, "val")
    assert figures(ColorModel(number_in), {"one": corpus}, "val", ALONE)["score"] == 100.0


def test_a_split_without_any_text_is_refused_before_training(corpus_of: Build) -> None:
    corpus = corpus_of(val=[replace(thing(n), texts=()) for n in range(12)])
    with pytest.raises(UsageError, match=r"'val' of shop has no text at all.*evaluate_split"):
        check_askable({"shop": corpus}, "val")


def test_a_source_is_scored_by_all_its_texts_in_the_language_it_has_most_of() -> None:
    assert main_kind({"title": 9, "all": 5, "all.zh": 5}) == "all"
    assert main_kind({"title": 9, "all": 1, "all.de": 5}) == "all.de"
    assert main_kind({"query": 3, "query.de": 5}) == "query.de"


def digits_in(text: str) -> int:
    return int("".join(filter(str.isdigit, text.rsplit(maxsplit=1)[-1])))


def test_records_have_figures_beside_pictures_and_the_score_is_of_what_is_chosen(corpus_of: Build) -> None:
    records = [thing(n, tags=[f"tag{n}", f"thing {n}"], source="a" if n < 20 else "b") for n in range(50)]
    corpora, model = {"one": corpus_of(val=records)}, ColorModel(digits_in, noise=4.0)
    found = {score: figures(model, corpora, "val", ALONE, score) for score in ("pictures", "records", "mean")}
    for figure in found.values():
        assert {"a/title/r10", "a/records/title/r10", "b/records/tags, new words/r10"} <= figure.keys()
    cells = evaluate_records(model, corpora["one"], "val", controls=False, min_queries=1).cells
    of_records = []
    for source in ("a", "b"):
        new = [
            c for (s, kind, _), c in cells.items() if s == source and kind in ("tags, new words", "title, new words")
        ]
        hits = np.concatenate([cell.ranks < 10 for cell in new])
        of_records.append(100 * hits.mean())
    assert found["records"]["score"] == pytest.approx(np.mean(of_records))
    assert found["pictures"]["score"] == pytest.approx(np.mean([found["mean"][f"{s}/all/r10"] for s in ("a", "b")]))
    both = found["pictures"]["score"] + found["records"]["score"]
    assert found["mean"]["score"] == pytest.approx(both / 2)


def test_a_split_without_record_tasks_cannot_be_scored_by_records_alone(corpus_of: Build) -> None:
    corpora = {"shop": corpus_of(val=[replace(thing(n), texts=thing(n).texts[:1]) for n in range(12)])}
    check_askable(corpora, "val")
    check_askable(corpora, "val", "mean")
    with pytest.raises(UsageError, match="evaluate_score=records, but the split 'val' of shop has no record task"):
        check_askable(corpora, "val", "records")


def test_a_split_without_pictures_cannot_be_scored_by_pictures(corpus_of: Build) -> None:
    corpora = {"words": corpus_of(val=[replace(thing(n, tags=[f"tag {n}"]), image=None) for n in range(12)])}
    check_askable(corpora, "val", "records")
    with pytest.raises(UsageError, match="no record of the split 'val' of words has a picture and a text"):
        check_askable(corpora, "val")
