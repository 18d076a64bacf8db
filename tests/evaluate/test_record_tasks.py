"""Laws of record tasks: who asks, what is right, and that new words are new."""

import random

import pytest

from manyview.corpus import Text
from manyview.evaluate.items import Item
from manyview.evaluate.queries import QueryKind, kinds_present
from manyview.evaluate.record_tasks import NEW_WORDS, record_tasks
from manyview.evaluate.words import wording


def item(number: int, *texts: tuple[str, str] | tuple[str, str, str], has_image: bool = True) -> Item:
    return Item(f"id-{number}", f"g-{number}", "s", tuple(Text(*text) for text in texts), has_image=has_image)


def asked(items: list[Item], name: str) -> dict[str, set[int]]:
    """The queries of a kind and the numbers of the records that are right."""
    kinds = kinds_present(text for one in items for text in one.texts)
    for task in record_tasks(items, kinds):
        if task.kind.name == name:
            number = [int(items[index].id[3:]) for index in task.gallery.images.tolist()]
            return {text: {number[p] for p in task.truths.row(row).tolist()} for row, text in enumerate(task.texts)}
    return {}


def test_every_kind_asks_in_every_language_and_kinds_that_join_others_do_not() -> None:
    items = [item(1, ("title", "a", "en"), ("title", "b", "zh"), ("tags", "c", "en"), ("query", "d", "de"))]
    kinds = kinds_present(items[0].texts)
    names = {task.kind.name for task in record_tasks(items, kinds)}
    assert names == {f"{kind}{form}" for kind in ("title", "title.zh", "tags", "query.de") for form in ("", NEW_WORDS)}


def test_of_a_list_the_entries_without_a_word_of_the_record_ask() -> None:
    items = [item(1, ("title", "red apple"), ("tags", "apples"), ("tags", "fruit"), ("tags", "food")), item(2)]
    assert asked(items, "tags") == {"apples, fruit, food": {1}}
    assert asked(items, "tags, new words") == {"fruit, food": {1}}


def test_a_text_of_another_kind_asks_whole_or_not_at_all() -> None:
    items = [
        item(1, ("caption", "a dog at night"), ("caption", "sleep"), ("title", "night")),
        item(2, ("caption", "一只狗"), ("title", "热狗")),
    ]
    assert asked(items, "caption, new words") == {"sleep": {1}, "一只狗": {2}}


def test_words_of_every_language_are_what_a_record_says_but_never_those_of_the_asking_kind() -> None:
    items = [
        item(1, ("tags", "tanabata"), ("tags", "七夕", "ja"), ("title", "fest tanabata", "de"), ("title", "x", "en"))
    ]
    assert asked(items, "tags, new words") == {}
    assert asked(items, "tags.ja, new words") == {"七夕": {1}}
    assert asked(items, "title.de, new words") == {}
    assert asked(items, "title, new words") == {"x": {1}}


def test_all_records_that_carry_a_text_are_right_whole_or_after_leaving_out() -> None:
    items = [
        item(1, ("tags", "sign"), ("title", "stop")),
        item(2, ("tags", "sign"), ("tags", "go"), ("title", "go on")),
        item(3, ("tags", "sign"), ("tags", "go"), ("title", "other")),
    ]
    assert asked(items, "tags") == {"sign": {1}, "sign, go": {2, 3}}
    assert asked(items, "tags, new words") == {"sign": {1, 2}}  # "sign, go" has a word in common with record 2


def test_a_record_with_nothing_else_to_say_does_not_ask_and_without_a_picture_does_not_answer() -> None:
    items = [
        item(1, ("title", "a")),
        item(2, ("title", "b"), ("tags", "c"), has_image=False),
        item(3, ("title", "d"), has_image=False),
        item(4),
    ]
    (title, *_) = record_tasks(items, [QueryKind.parse("title")])
    assert title.texts == ("b",)
    assert {items[index].id for index in title.gallery.images.tolist()} == {"id-1", "id-2", "id-4"}
    assert record_tasks(items[:1], [QueryKind.parse("title")]) == []


@pytest.mark.parametrize("answer_kinds", [None, ("title",)])
def test_no_query_of_new_words_has_a_word_in_common_with_a_right_record(answer_kinds: tuple[str, ...] | None) -> None:
    """Brute force over random records of few words, some of them Chinese."""
    draw = random.Random(0)
    vocabulary = [
        "red",
        "apple",
        "apples",
        "dog",
        "hot dog",
        "狗",
        "热狗",
        "苹果",
        "红苹果",
        *(f"w{i}" for i in range(20)),
    ]
    items = [
        item(n, *((kind, draw.choice(vocabulary)) for kind in draw.choices(["title", "tags", "caption"], k=5)))
        for n in range(80)
    ]
    kinds = kinds_present(text for one in items for text in one.texts)
    tasks = [t for t in record_tasks(items, kinds, answer_kinds=answer_kinds) if t.kind.name.endswith(NEW_WORDS)]
    assert sum(len(task.texts) for task in tasks) > 20
    for task in tasks:
        for row, query in enumerate(task.texts):
            for position in task.truths.row(row).tolist():
                for text in items[task.gallery.images[position]].texts:
                    if text.kind != task.kind.parts[0] and (answer_kinds is None or text.kind in answer_kinds):
                        assert not wording([query]).shares_a_word(wording([text.text]))


def test_galleries_of_a_size_are_the_first_records_of_the_whole_one() -> None:
    items = [item(n, ("title", f"t{n}"), ("tags", f"g{n}")) for n in range(20)]
    (whole, *_), (part, *_) = (record_tasks(items, [QueryKind.parse("title")], max_gallery=m) for m in (None, 7))
    assert part.gallery.images.tolist() == whole.gallery.images[:7].tolist()
