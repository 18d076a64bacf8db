from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.search.conftest import ColorEncoder, mixed_records, record_vector, records

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.search import Encoder, Hit, Index

MakeCorpus = Callable[..., Corpus]


def assert_ranked(hits: Sequence[Hit], scores: Mapping[str, float], top: int) -> None:
    """The hits are the records of the greatest scores, in their order."""
    assert [hit.score for hit in hits] == pytest.approx(sorted(scores.values(), reverse=True)[:top], abs=1e-6)
    assert [hit.score for hit in hits] == pytest.approx([scores[hit.id] for hit in hits], abs=1e-6)
    assert len({hit.id for hit in hits}) == len(hits)


@pytest.mark.parametrize(
    "weights", [{}, {"title": 2.0, "image": 0.5}, {"image": 0.0}, {"title": 0.0, "tags": 0.0, "image": 0.0}]
)
def test_records_rank_by_the_weighted_sum_of_their_views(
    model: Encoder, mixed: Corpus, tmp_path: Path, weights: dict[str, float]
) -> None:
    index = Index.build(model, mixed, tmp_path / "index")
    query = model.encode_text(["red"])[0]
    vectors = {record.id: record_vector(model, record, weights) for _, record in records(mixed)}
    scores = {id_: float(vector @ query) for id_, vector in vectors.items() if vector is not None}
    assert 0 < len(scores) <= len(index)
    for top in (7, 200):
        assert_ranked(index.search(query, top, weights=weights), scores, top)


def test_weights_of_the_model_and_weights_given_to_a_search_rank_alike(mixed: Corpus, tmp_path: Path) -> None:
    weights = {"title": 0.25, "image": 0.0, "tags": 3.0}
    of_model = Index.build(ColorEncoder(weights), mixed, tmp_path / "weighted")
    plain = Index.build(ColorEncoder(), mixed, tmp_path / "plain")
    assert len(of_model.features) < len(plain.features) == len(plain)
    query = ColorEncoder().encode_text(["green"])[0]
    assert of_model.search(query, 200) == plain.search(query, 200, weights=weights)
    assert of_model.search(query, 200, weights=dict.fromkeys(weights, 1.0)) == plain.search(query, 200)
    assert of_model.weights == {**weights, "caption": 1.0}


@pytest.mark.parametrize("view", ["image", "title", "tags", "caption"])
def test_one_view_ranks_alone_and_only_the_records_that_have_it(
    model: Encoder, mixed: Corpus, tmp_path: Path, view: str
) -> None:
    index = Index.build(model, mixed, tmp_path / "index")
    query = model.encode_text(["blue"])[0]
    features, present = model.encode_views([record for _, record in records(mixed)])
    ids = [record.id for _, record in records(mixed)]
    scores = {ids[i]: float(features[view][i] @ query) for i in np.flatnonzero(present[view])}
    assert 0 < len(scores) < len(index)
    for top in (3, 200):
        assert_ranked(index.search(query, top, by=view), scores, top)


def test_a_hit_says_how_close_each_of_its_views_is(model: Encoder, mixed: Corpus, tmp_path: Path) -> None:
    index = Index.build(model, mixed, tmp_path / "index")
    query = model.encode_text(["yellow"])[0]
    known = {record.id: record for _, record in records(mixed)}
    for by in ("record", "title"):
        for hit in index.search(query, 200, by=by):
            features, present = model.encode_views([known[hit.id]])
            assert hit.views == pytest.approx({name: features[name][0] @ query for name in features}, abs=1e-6)
            assert all(of_view[0] for of_view in present.values())
    assert list(index.views) == sorted(index.views, key=lambda name: (name != "image", -len(index.views[name])))


@pytest.mark.parametrize("ranks", [{}, {"by": "title"}, {"weights": {"title": 3.0}}])
@pytest.mark.parametrize("count", [1, 3])
def test_so_many_of_a_group_are_found_as_asked_for_the_best_of_it(
    model: Encoder, make_corpus: MakeCorpus, tmp_path: Path, count: int, ranks: dict[str, Any]
) -> None:
    grouped = [replace(r, group=r.texts[0].text if r.texts else r.id) for r in mixed_records(300)]
    index = Index.build(model, make_corpus("grouped", test=grouped), tmp_path / "index")
    group = {record.id: record.group for record in grouped}
    query = model.encode_text(["red"])[0]
    seen = Counter[str]()
    expected = []
    for hit in index.search(query, len(index), **ranks):
        seen[group[hit.id]] += 1
        if seen[group[hit.id]] <= count:
            expected.append(hit.id)
    for top in (1, 2, 4, 100):
        assert [hit.id for hit in index.search(query, top, per_group=count, **ranks)] == expected[:top]


@pytest.mark.parametrize(
    ("ranks", "said"),
    [
        ({"by": "colour"}, "no record here has a view 'colour', allowed: record, image, tags, title, caption"),
        ({"weights": {"colour": 1.0}}, "no record here has a view 'colour', allowed: image, tags, title, caption"),
        ({"weights": {"title": -1.0}}, "the weight of the view 'title' is -1, allowed: a number of 0 or more"),
        ({"weights": {"title": float("nan")}}, "the weight of the view 'title' is nan"),
        ({"weights": dict.fromkeys(("image", "title", "tags", "caption"), 0.0)}, "the weights of all views are 0"),
        ({"per_group": 0}, "per_group is 0, allowed: 1 or more"),
        ({"weights": {"title": 2.0}, "by": "image"}, "'image' alone ranks here"),
    ],
)
def test_what_cannot_rank_is_refused(
    model: Encoder, mixed: Corpus, tmp_path: Path, ranks: dict[str, Any], said: str
) -> None:
    index = Index.build(model, mixed, tmp_path / "index")
    with pytest.raises(UsageError, match=said):
        index.search(np.ones(4), **ranks)
