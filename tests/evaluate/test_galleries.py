import random

from manyview.corpus import Text
from manyview.evaluate.galleries import Task, build_galleries, build_task
from manyview.evaluate.items import Item
from manyview.evaluate.queries import QueryKind


def item(name: str, group: str, title: str, *tags: str, source: str = "s") -> Item:
    return Item(name, group, source, (Text("title", title), *(Text("tags", tag) for tag in tags)))


ITEMS = [
    item("a1", "a", "Cat", "pet"),
    item("a2", "a", "kitten", "pet"),
    item("b1", "b", "CAT ", "machine"),
    item("c1", "c", "dog", "pet"),
    item("d1", "d", "owl", source="t"),
]


def truths(task: Task, items: list[Item]) -> dict[str, set[str]]:
    images = [items[index].id for index in task.gallery.images]
    return {text: {images[place] for place in task.truths.row(row).tolist()} for row, text in enumerate(task.texts)}


def test_a_concept_has_one_image_and_no_two_share_a_title() -> None:
    first, every, other = build_galleries(ITEMS)
    assert (first.name, every.name, other.name) == ("s", "s, every image", "t")
    chosen = [ITEMS[index] for index in first.images]
    assert len({one.group for one in chosen}) == len(chosen)
    assert len({one.texts[0].text.strip().casefold() for one in chosen}) == len(chosen)
    assert sorted(ITEMS[index].id for index in every.images) == ["a1", "a2", "b1", "c1"]


def test_the_choice_does_not_depend_on_the_order_of_the_items() -> None:
    many = [item(f"id{index}", f"g{index // 4}", f"title {index // 3}") for index in range(60)]
    shuffled = random.Random(0).sample(many, len(many))
    assert [many[index].id for index in build_galleries(many)[0].images] == [
        shuffled[index].id for index in build_galleries(shuffled)[0].images
    ]


def test_another_seed_chooses_other_images() -> None:
    many = [item(f"id{index}", f"g{index // 4}", f"title {index}") for index in range(60)]
    one, other = (build_galleries(many, seed=seed)[0].images.tolist() for seed in (0, 1))
    assert one != other


def test_every_image_of_every_concept_with_the_text_is_right() -> None:
    every = build_galleries(ITEMS)[1]
    titles = truths(build_task(ITEMS, every, QueryKind.parse("title")), ITEMS)
    assert {text.strip().casefold(): right for text, right in titles.items()} == {
        "cat": {"a1", "a2", "b1"},
        "kitten": {"a1", "a2"},
        "dog": {"c1"},
    }
    tags = truths(build_task(ITEMS, every, QueryKind.parse("tags")), ITEMS)
    assert tags == {"pet": {"a1", "a2", "c1"}, "machine": {"b1"}}


def test_concepts_with_the_same_tags_are_both_right_for_them() -> None:
    items = [item("a", "a", "cat", "pet"), item("b", "b", "dog", "pet"), item("c", "c", "car", "wheels")]
    task = build_task(items, build_galleries(items)[0], QueryKind.parse("tags"))
    assert truths(task, items) == {"pet": {"a", "b"}, "wheels": {"c"}}


def test_an_image_without_a_text_stays_in_the_gallery() -> None:
    items = [item("a", "a", "cat", "pet"), item("b", "b", "dog")]
    task = build_task(items, build_galleries(items)[0], QueryKind.parse("tags"))
    assert len(task.gallery.images) == 2
    assert task.truths.counts.tolist() == [1]


def test_the_any_of_k_gallery_is_left_out_where_it_adds_nothing() -> None:
    items = [item("a", "a", "cat"), item("b", "b", "dog")]
    assert [gallery.name for gallery in build_galleries(items)] == ["s"]
    assert [gallery.name for gallery in build_galleries(ITEMS, every_image=False)] == ["s", "t"]
