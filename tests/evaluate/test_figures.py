"""Laws of what a training asks of its model: any corpus with a text has a score, and one without is found before."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from manyview.corpus import Corpus, Text
from manyview.distributed import ALONE
from manyview.errors import UsageError
from manyview.evaluate import check_askable, figures
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
