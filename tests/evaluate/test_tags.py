from collections.abc import Callable

from manyview.corpus import Corpus, Record, Text
from manyview.evaluate.tags import TagTask, tag_task

from .conftest import picture


def record(number: int, title: str, *tags: str, lang: str = "en") -> Record:
    texts = (Text("title", title, lang), *(Text("tags", tag, lang) for tag in tags))
    return Record(f"id-{number}", f"g-{number}", picture(number), texts)


def asked(task: TagTask) -> dict[str, set[str]]:
    return {title: {task.vocabulary[index] for index in task.own.row(row)} for row, title in enumerate(task.titles)}


def test_the_vocabulary_is_of_both_splits_and_titles_are_of_the_held_out_one(
    corpus_of: Callable[..., Corpus],
) -> None:
    task = tag_task(
        corpus_of(train=[record(1, "lunch", "Plate", "noon")], test=[record(2, "dinner", "plate", "evening")])
    )
    assert task.vocabulary == ("evening", "noon", "plate")
    assert asked(task) == {"dinner": {"plate", "evening"}}
    assert task.frequency.tolist() == [0, 1, 1]


def test_tags_that_share_a_word_with_the_title_are_barred(corpus_of: Callable[..., Corpus]) -> None:
    held_out = [record(1, "Red Apples", "apple", "red wine", "fruit"), record(2, "wine", "red wine")]
    task = tag_task(corpus_of(test=held_out), vocabulary_splits=["test"])
    assert asked(task) == {"Red Apples": {"fruit"}}
    assert {task.vocabulary[index] for index in task.barred.row(0)} == {"apple", "red wine"}


def test_records_with_one_title_pool_their_tags(corpus_of: Callable[..., Corpus]) -> None:
    held_out = [record(1, "dinner", "plate"), record(2, "Dinner ", "fork"), record(3, "dinner")]
    task = tag_task(corpus_of(test=held_out))
    assert [title.strip().casefold() for title in task.titles] == ["dinner"]
    assert set(task.vocabulary) == {"plate", "fork"} == next(iter(asked(task).values()))


def test_tags_that_too_many_records_carry_are_left_out(corpus_of: Callable[..., Corpus]) -> None:
    train = [record(number, "x", "sign", *(["plate"] if number == 1 else [])) for number in range(1, 5)]
    corpus = corpus_of(train=train, test=[record(5, "dinner", "sign", "plate", "evening")])
    assert asked(tag_task(corpus)) == {"dinner": {"sign", "plate", "evening"}}
    assert asked(tag_task(corpus, max_share=0.25)) == {"dinner": {"plate", "evening"}}
    assert tag_task(corpus, max_share=0.25).vocabulary == ("evening", "plate")


def test_other_languages_have_their_own_titles_and_tags(corpus_of: Callable[..., Corpus]) -> None:
    held_out = [record(1, "晚餐", "盘子", "餐具", lang="zh"), record(2, "dinner", "fork")]
    assert asked(tag_task(corpus_of(test=held_out), lang="zh")) == {"晚餐": {"盘子"}}
