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
LISTS = ("tags", "objects")


def rendered(view, texts=TEXTS, n=2_000, seed=0, name="x"):
    epochs, samples = np.zeros(n, np.int64), np.arange(n, dtype=np.int64)
    return render_texts(view, name, LISTS, [texts] * n, seed, epochs, samples)


def drawn(view, texts=TEXTS, n=2_000, seed=0, name="x"):
    return [text.text if text else None for text in rendered(view, texts, n, seed, name)]


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


def test_under_a_range_from_none_to_all_every_length_of_a_list_is_drawn_alike():
    """The binomial of n tags, integrated over its probability, is 1 / (n + 1) for each length; none counts as one."""
    texts = tuple(Text("tags", f"t{i}", "en") for i in range(7))
    lengths = Counter(len(text.split(", ")) for text in drawn(TextView(kinds=("tags",), drop=(0, 1)), texts))
    assert {length: count / 2_000 for length, count in lengths.items()} == pytest.approx(
        {length: (2 if length == 1 else 1) / 8 for length in range(1, 8)}, abs=0.035
    )


def test_a_range_without_width_drops_what_its_probability_drops():
    ranged, plain = (drawn(TextView(kinds=("tags",), drop=drop)) for drop in ((0.5, 0.5), 0.5))
    assert ranged == plain


@pytest.mark.parametrize("drop", [1, -0.1, (0.5, 0.2), (1, 1), (0, 1.5)])
def test_a_drop_that_leaves_no_choice_is_refused(drop):
    with pytest.raises(ValueError, match="allowed: a number from 0 to below 1, or two"):
        TextView(kinds=("tags",), drop=drop)


def test_a_still_view_lists_tags_as_they_are():
    assert set(drawn(TextView(kinds=("tags",), drop=0, shuffle=False))) == {"tomato, onion, salt"}


@pytest.mark.parametrize("count", [1, 30, 31, 75])
def test_every_tag_is_drawn_alike_however_many_there_are(count):
    texts = tuple(Text("tags", f"t{i}", "en") for i in range(count))
    drawings = [text.split(", ") for text in drawn(TextView(kinds=("tags",), drop=0.5), texts)]
    counts = Counter(tag for tags in drawings for tag in tags)
    assert len(counts) == count
    if count > 1:
        assert max(abs(of / 2_000 - 0.5) for of in counts.values()) < 0.06
        first = Counter(tags[0] for tags in drawings)
        assert max(first.values()) < 4 * 2_000 / count


def test_more_tags_leave_the_draws_of_fewer_as_they_are():
    """Which of the first 30 tags stay, and in which order, does not depend on whether there are more."""
    view = TextView(kinds=("tags",), drop=0.5)
    few = tuple(Text("tags", f"t{i}") for i in range(30))
    more = (*few, *(Text("tags", f"more{i}") for i in range(20)))
    same = 0
    for a, b in zip(drawn(view, few, n=300), drawn(view, more, n=300), strict=True):
        same += a.split(", ") == [tag for tag in b.split(", ") if tag.startswith("t")]
    assert same >= 299  # one always stays: a list of which all 30 are dropped keeps one, the longer list none


def test_joined_lists_are_dropped_and_ordered_each_for_itself():
    texts = tuple(Text(kind, f"{kind[0]}{i}") for kind in LISTS for i in range(2))
    drawings = [text.split(", ") for text in drawn(TextView(kinds=("tags+objects",), drop=0.5), texts)]
    orders = Counter(tuple(tag[1] for tag in tags) for tags in drawings if len(tags) == 4)
    assert len(orders) == 4
    assert min(orders.values()) > max(orders.values()) / 2
    both = Counter(("t0" in tags, "o0" in tags) for tags in drawings)
    assert min(both.values()) > 0.05 * len(drawings)


def test_joined_entries_are_drawn_each_for_itself():
    texts = tuple(Text(kind, f"{kind[0]}{i}") for kind in ("title", "caption") for i in range(2))
    assert len(Counter(drawn(TextView(kinds=("title+caption",)), texts))) == 4


@pytest.mark.parametrize("lang", ["", "en", "de", "fr", "ja", "th", "en-US", "xx"])
def test_a_preference_leaves_no_record_without_a_text(lang):
    texts = (Text("title", "a", lang), Text("tags", "b", lang))
    for langs in ((), {"en": 3, "zh": 1, "": 1}):
        assert set(drawn(TextView(kinds={"title": 1}, langs=langs), texts, n=50)) == {"a"}
        assert set(drawn(TextView(kinds=("tags",), langs=langs), texts, n=50)) == {"b"}


def test_languages_are_drawn_by_their_weights_and_others_where_there_are_none_of_them():
    view = TextView(kinds=("title",), langs={"zh": 3, "en": 1})
    share = Counter(drawn(view))["晚餐"] / 2_000
    assert share == pytest.approx(0.75, abs=0.04)
    german = (Text("title", "Abendessen", "de"), Text("title", "dinner", "en"))
    assert set(drawn(view, german)) == {"dinner"}
    assert set(drawn(view, german[:1])) == {"Abendessen"}


def test_what_has_weight_zero_is_not_drawn_when_it_is_alone():
    assert set(drawn(TextView(kinds=("title",), langs={"en": 0, "zh": 0, "de": 1}))) == {None}
    assert set(drawn(TextView(kinds={"title": 0, "caption": 1}))) == {None}


def test_the_template_is_written_around_the_text():
    view = TextView(kinds=("tags",), drop=0, shuffle=False, template="The picture contains {text}.")
    assert drawn(view, n=1) == ["The picture contains tomato, onion, salt."]


def test_weights_say_how_often_an_entry_is_drawn():
    texts = (Text("query", "often", "en", 9.0), Text("query", "seldom", "en", 1.0))
    share = Counter(drawn(TextView(kinds=("query",)), texts))["often"] / 2_000
    assert share == pytest.approx(0.9, abs=0.03)


def test_where_weights_count_in_the_loss_entries_are_drawn_evenly_and_bring_theirs():
    texts = (Text("query", "often", weight=9.0), Text("query", "rarely", weight=1.0))
    rows = rendered(TextView(kinds=("query",), weighted=True), texts)
    assert Counter(row.text for row in rows)["often"] / 2_000 == pytest.approx(0.5, abs=0.04)
    assert {(row.text, row.weight) for row in rows} == {("often", 9.0), ("rarely", 1.0)}


def test_a_list_weighs_the_mean_of_the_entries_that_stayed():
    weights = {"sure": 0.9, "likely": 0.5, "hardly": 0.1}
    texts = tuple(Text("tags", tag, weight=weight) for tag, weight in weights.items())
    rows = rendered(TextView(kinds=("tags",), drop=0.5, weighted=True), texts)
    assert len({row.text for row in rows}) > 10
    for row in rows:
        stayed = [weights[tag] for tag in row.text.split(", ")]
        assert row.weight == pytest.approx(sum(stayed) / len(stayed))


def test_a_weighted_list_is_drawn_like_any_other():
    views = [TextView(kinds=("tags",), drop=0.5, weighted=weighted) for weighted in (False, True)]
    assert drawn(views[0]) == drawn(views[1])


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
