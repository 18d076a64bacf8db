"""Laws of tags and their sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.fingerprint import normalized_text
from manyview.tags.config import SelectionConfig
from manyview.tags.sequence import Tag, joined, ordered_tags, phrase, render_tags, selected
from manyview.tags.tagger import Detection, boxed, kept

LABELS = st.sampled_from(["car", "Car", "tree", "sky", "苹果"])
ATTRIBUTES = st.sampled_from([(), ("red",), ("green",)])
DETECTIONS = st.lists(
    st.builds(Detection, label=LABELS, score=st.floats(0.01, 1), area=st.floats(0.01, 1), attributes=ATTRIBUTES),
    max_size=8,
)


def test_the_paper_s_figure() -> None:
    found = [
        Detection("car", 0.9, 0.1, attributes=("red",)),
        Detection("sky", 0.8, 0.4, attributes=("blue",)),
        Detection("sidewalk", 0.9, 0.5, attributes=("concrete",)),
    ]
    tags = selected(found, SelectionConfig(), 0.5, "importance")
    assert (
        render_tags(tags, "The picture contains {tags}.")
        == "The picture contains concrete sidewalk, blue sky, red car."
    )


def test_chinese_words_are_joined_and_others_are_not() -> None:
    assert phrase(Detection("苹果", 1, attributes=("红色",))) == "红色苹果"
    assert phrase(Detection(" fire  truck", 1, attributes=("red",))) == "red fire truck"
    assert joined(["Nike", "运动", "鞋"]) == "Nike 运动鞋"


@given(DETECTIONS, st.randoms(use_true_random=False))
def test_order_is_by_confidence_times_area_whatever_the_order_of_findings(
    found: list[Detection], random: object
) -> None:
    tags = ordered_tags(found, "importance")
    importance = [tag.score * tag.area for tag in tags]
    assert importance == sorted(importance, reverse=True)
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ordered_tags(shuffled, "importance") == tags


@given(DETECTIONS)
def test_every_phrase_is_said_once_and_bare_labels_not_beside_described_ones(found: list[Detection]) -> None:
    said = [normalized_text(tag.text) for tag in ordered_tags(found, "importance")]
    assert len(said) == len(set(said))
    described = {normalized_text(of.label) for of in found if of.attributes}
    assert set(said) == {
        normalized_text(phrase(of)) for of in found if of.attributes or normalized_text(of.label) not in described
    }


@given(DETECTIONS)
def test_findings_of_one_phrase_share_the_highest_score_and_the_sum_of_areas(found: list[Detection]) -> None:
    for tag in ordered_tags(found, "given"):
        same = [of for of in found if normalized_text(phrase(of)) == normalized_text(tag.text)]
        assert tag.score == max(of.score for of in same)
        assert tag.area == pytest.approx(min(1, sum(of.area for of in same)))


def test_selection_lets_through_what_it_says() -> None:
    found = [
        Detection("car", 0.9, 0.5),
        Detection("tree", 0.6, 0.05),
        Detection("Sky", 0.7, 0.9),
        Detection("dog", 0.3, 0.5),
    ]

    def said(**told: object) -> list[str]:
        return [tag.text for tag in selected(found, SelectionConfig.model_validate(told), 0.5, "importance")]

    assert said() == ["Sky", "car", "tree"]
    assert said(threshold=0.2) == ["Sky", "car", "dog", "tree"]
    assert said(top=1) == ["Sky"]
    assert said(min_area=0.1) == ["Sky", "car"]
    assert said(exclude=["sky"]) == ["car", "tree"]
    assert said(order="given") == ["car", "tree", "Sky"]


def test_a_template_without_the_tags_is_refused() -> None:
    with pytest.raises(ValueError, match="tags"):
        SelectionConfig(template="The picture contains things.")


def test_a_plain_list_is_a_template_too() -> None:
    assert render_tags([Tag("red car", 1, 1), Tag("tree", 1, 1)], "{tags}") == "red car, tree"


def test_boxes_are_cut_at_the_borders() -> None:
    assert boxed("car", 0.5, (-0.5, 0.5, 0.5, 2.0)) == Detection("car", 0.5, 0.25, (0.0, 0.5, 0.5, 1.0))


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1), st.sampled_from(["car", " "])), max_size=130), st.floats(0, 1)
)
def test_what_is_kept_is_the_surest_hundred_in_their_order(rows: list[tuple[float, float, str]], floor: float) -> None:
    found = [Detection(label, score, area) for score, area, label in rows]
    good = [of for of in found if of.score >= floor and of.area > 0 and of.label.strip()]
    left = sorted(good, key=lambda of: -of.score)[:100]
    expected = [Detection(of.label, round(of.score, 4), round(of.area, 4)) for of in good if of in left][:100]
    assert kept(found, floor) == expected


def test_boxes_that_are_no_numbers_are_not_kept() -> None:
    nan = float("nan")
    assert kept([Detection("car", nan), boxed("car", 0.9, (nan, 0, 1, 1)), Detection("car", 0.9)], 0.1) == [
        Detection("car", 0.9)
    ]
