from itertools import permutations

import numpy as np
import pytest

from manyview.evaluate.neighbors import chance_scores, nearest_tags, tag_neighbors
from manyview.evaluate.relation import Relation
from manyview.evaluate.tags import TagTask

from .conftest import ColorModel


def task_of(own: list[list[int]], barred: list[list[int]], vocabulary: int) -> TagTask:
    return TagTask(
        titles=tuple(f"title {row}" for row in range(len(own))),
        vocabulary=tuple(f"tag{index}" for index in range(vocabulary)),
        own=Relation.from_rows(own),
        barred=Relation.from_rows(barred),
        frequency=np.arange(vocabulary, dtype=np.int64),
    )


def scores_by_loops(model: ColorModel, task: TagTask) -> tuple[float, float]:
    titles, tags = (model.encode_text(texts).numpy() for texts in (task.titles, task.vocabulary))
    reciprocal, recalls = [], []
    for row in range(len(task.titles)):
        scores = tags @ titles[row]
        own, barred = set(task.own.row(row).tolist()), set(task.barred.row(row).tolist())
        allowed = [index for index in np.argsort(-scores).tolist() if index not in barred]
        reciprocal.append(1 / (1 + min(allowed.index(index) for index in own)))
        recalls.append(len(own & set(allowed[:10])) / len(own))
    return float(np.mean(reciprocal)), float(np.mean(recalls))


def test_scores_equal_those_by_loops() -> None:
    generator = np.random.default_rng(0)
    own = [generator.choice(60, size=generator.integers(1, 15), replace=False).tolist() for _ in range(25)]
    barred = [sorted(set(range(0, 60, 7)) - set(tags)) for tags in own]
    task = task_of(own, barred, 60)
    model = ColorModel(lambda text: text)
    found = tag_neighbors(model, task)
    assert (found.model.reciprocal_rank, found.model.recall_at_10) == pytest.approx(scores_by_loops(model, task))
    assert (found.titles, found.vocabulary) == (25, 60)


@pytest.mark.parametrize(("vocabulary", "own", "barred"), [(6, 1, 0), (7, 2, 1), (6, 3, 2), (5, 5, 0)])
def test_chance_is_the_mean_over_all_orders(vocabulary: int, own: int, barred: int) -> None:
    task = task_of([list(range(own))], [list(range(own, own + barred))], vocabulary)
    orders = list(permutations(range(vocabulary - barred)))
    best = [min(order.index(index) for index in range(own)) for order in orders]
    chance = chance_scores(task)
    assert chance.reciprocal_rank == pytest.approx(float(np.mean([1 / (1 + rank) for rank in best])))
    assert chance.recall_at_10 == 1.0


def test_chance_recall_is_ten_of_those_allowed() -> None:
    task = task_of([[0, 1], [2]], [[3, 4], []], 42)
    assert chance_scores(task).recall_at_10 == pytest.approx((10 / 40 + 10 / 42) / 2)


def test_a_model_that_puts_all_texts_in_one_place_finds_no_tag() -> None:
    task = task_of([[0], [1, 2]], [[], []], 40)
    found = tag_neighbors(ColorModel(lambda text: "same"), task)
    assert found.model.recall_at_10 == 0.0
    assert found.model.reciprocal_rank == pytest.approx((1 / 40 + 1 / 39) / 2)


def test_the_frequent_tags_are_a_level_of_their_own() -> None:
    found = tag_neighbors(ColorModel(lambda text: text), task_of([[39], [0]], [[], []], 40))
    assert found.frequent.reciprocal_rank == pytest.approx((1 + 1 / 40) / 2)
    assert found.frequent.recall_at_10 == pytest.approx(1 / 2)


def test_examples_show_the_nearest_allowed_tags_and_mark_the_own_ones() -> None:
    task = task_of([[3, 5]], [[3 + 1]], 8)
    meaning = {"title 0": "x", "tag4": "x", "tag3": "x"}
    [example] = tag_neighbors(ColorModel(lambda text: meaning.get(text, text)), task, top=20).examples
    assert example.nearest[0] == ("tag3", True)
    assert "tag4" not in dict(example.nearest)
    assert len(example.nearest) == 7
    assert {tag for tag, own in example.nearest if own} == set(example.own) == {"tag3", "tag5"}
    assert example.rank == 0


def test_nearest_tags_of_any_words_share_no_word_with_them() -> None:
    task = task_of([[0]], [[]], 6)
    model = ColorModel(lambda text: "x" if text in {"dinner", "tag2"} else text)
    assert nearest_tags(model, task, ["dinner", "tag2"], top=3)[0][0] == "tag2"
    assert "tag2" not in nearest_tags(model, task, ["tag2"], top=6)[0]
