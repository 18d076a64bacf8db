"""Laws of text views: what may be drawn, how often, and when there is nothing."""

from collections import Counter

import numpy as np
import pytest

from manyview.corpus import Text
from manyview.data.texts import render_texts
from manyview.data.views import TextView, ViewsConfig

TEXTS = (
    Text("title", "dinner", "en"),
    Text("title", "晚餐", "zh"),
    Text("tags", "tomato", "en"),
    Text("tags", "onion", "en"),
    Text("tags", "salt", "en"),
)
LISTS = ("tags",)


def drawn(view, texts=TEXTS, n=2_000, seed=0, name="x"):
    epochs, samples = np.zeros(n, np.int64), np.arange(n, dtype=np.int64)
    return render_texts(view, name, LISTS, [texts] * n, seed, epochs, samples)


def test_an_order_of_preference_takes_the_first_that_is_there():
    assert set(drawn(TextView(kinds=("caption", "title"), langs=("en",)))) == {"dinner"}
    assert set(drawn(TextView(kinds=("caption",)))) == {None}


def test_probabilities_are_kept_among_the_kinds_that_are_there():
    view = TextView(kinds={"title": 3, "tags": 1, "caption": 100}, langs=("en",))
    share = Counter(text == "dinner" for text in drawn(view))[True] / 2_000
    assert share == pytest.approx(0.75, abs=0.04)


def test_languages_are_drawn_evenly_and_never_mixed():
    counts = Counter(drawn(TextView(kinds=("title",))))
    assert set(counts) == {"dinner", "晚餐"}
    assert counts["dinner"] == pytest.approx(1_000, abs=90)
    for text in drawn(TextView(kinds=("title+tags",), drop=0)):
        assert text == "晚餐" or text.startswith("dinner, ")


def test_tags_are_shuffled_and_dropped_each_alike_but_never_all():
    texts = drawn(TextView(kinds=("tags",), drop=0.5))
    counts = Counter(tag for text in texts for tag in text.split(", "))
    assert all(text for text in texts)
    one_kept_anyway = 0.5**3 / 3
    for tag in ("tomato", "onion", "salt"):
        assert counts[tag] / 2_000 == pytest.approx(0.5 + one_kept_anyway, abs=0.04)
    orders = Counter(drawn(TextView(kinds=("tags",), drop=0)))
    assert len(orders) == 6
    assert min(orders.values()) > 250


def test_a_still_view_lists_tags_as_they_are():
    assert set(drawn(TextView(kinds=("tags",), drop=0, shuffle=False))) == {"tomato, onion, salt"}


def test_the_template_is_written_around_the_text():
    view = TextView(kinds=("tags",), drop=0, shuffle=False, template="The picture contains {text}.")
    assert drawn(view, n=1) == ["The picture contains tomato, onion, salt."]


def test_weights_say_how_often_an_entry_is_drawn():
    texts = (Text("query", "often", "en", 9.0), Text("query", "seldom", "en", 1.0))
    share = Counter(drawn(TextView(kinds=("query",)), texts))["often"] / 2_000
    assert share == pytest.approx(0.9, abs=0.03)


def test_views_of_other_names_draw_independently():
    view = TextView(kinds=("title",))
    same = sum(a == b for a, b in zip(drawn(view, name="a"), drawn(view, name="b"), strict=True))
    assert same / 2_000 == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": ()},
        {"kinds": {"title": -1}},
        {"kinds": {"title": 0}},
        {"kinds": ("title",), "template": "no place"},
    ],
)
def test_senseless_views_are_refused(wrong):
    with pytest.raises(ValueError, match=r"kinds|probabilities|template"):
        TextView(**wrong)


def test_image_and_text_views_must_have_different_names():
    with pytest.raises(ValueError, match="must differ"):
        ViewsConfig(texts={"image": TextView(kinds=("title",))})
