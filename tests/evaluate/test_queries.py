import pytest

from manyview.corpus import Text
from manyview.errors import UsageError
from manyview.evaluate.queries import QUERY_KINDS, QueryKind, kinds_present, query_kinds, query_texts, texts_of

TEXTS = (
    Text("title", "Dinner", "en"),
    Text("title", "supper", ""),
    Text("title", "晚餐", "zh"),
    Text("tags", "plate", "en"),
    Text("tags", "fork", "en"),
    Text("tags", "plate", "en"),
    Text("tags", "盘子", "zh-Hans"),
    Text("description", " A meal. ", "en"),
    Text("description", "  ", "en"),
)


def asked(name: str, texts: tuple[Text, ...] = TEXTS, **languages: str) -> tuple[str, ...]:
    return query_texts(texts, QueryKind.parse(name), **languages)


def test_each_title_is_a_query_and_all_tags_are_one() -> None:
    assert asked("title") == ("Dinner", "supper")
    assert asked("tags") == ("plate, fork",)
    assert asked("description") == ("A meal.",)


def test_joined_kinds_keep_their_order_and_take_the_first_text_of_each() -> None:
    assert asked("title+tags") == ("Dinner. plate, fork",)
    assert asked("tags+title") == ("plate, fork. Dinner",)
    assert asked("all") == ("Dinner. plate, fork. A meal",)


def test_a_joined_kind_needs_all_its_parts_and_all_takes_what_is_there() -> None:
    assert asked("title+tags", TEXTS[:2]) == ()
    assert asked("all", TEXTS[:2]) == ("Dinner",)
    assert asked("all", ()) == ()


def test_a_suffix_asks_in_another_language_including_its_regions() -> None:
    assert asked("title.zh") == ("晚餐",)
    assert asked("tags.zh") == ("盘子",)
    assert asked("all.zh") == ("晚餐. 盘子",)
    assert asked("title.de") == ()


def test_texts_of_no_stated_language_belong_to_the_default_one() -> None:
    assert asked("title", default_lang="zh") == ("supper", "晚餐")
    assert texts_of(TEXTS, "title", "en") == ("Dinner",)


def test_further_languages_add_their_titles_tags_and_all() -> None:
    names = [kind.name for kind in query_kinds(["title"], ["zh", "de"])]
    assert names == ["title", "title.zh", "tags.zh", "all.zh", "title.de", "tags.de", "all.de"]


def test_objects_are_one_query_as_tags_are() -> None:
    assert asked("objects", (Text("objects", "cup", "de"), Text("objects", "", "de"), Text("objects", "saucer"))) == (
        "saucer",
    )
    assert asked("objects.de", (Text("objects", "cup", "de"), Text("objects", "saucer", "de"))) == ("cup, saucer",)


@pytest.mark.parametrize("lang", ["", "en", "EN_us", "und", "de", "de-AT", "th", "zh-Hant", "x-klingon", "Deutsch"])
@pytest.mark.parametrize("kind", ["title", "caption", "query", "alt", "my.own+kind"])
def test_every_text_is_a_query_of_some_kind(kind: str, lang: str) -> None:
    texts = (Text(kind, "words", lang), Text("tags", "plate", "fr"))
    queries = {found.name: query_texts(texts, found) for found in kinds_present(texts)}
    assert len(queries) == len(kinds_present(texts))
    assert ("words",) in queries.values()
    assert queries["tags.fr"] == ("plate",)


def test_the_kinds_of_a_corpus_in_the_default_language_are_those_that_were_always_asked() -> None:
    assert [kind.name for kind in kinds_present([Text("title", "Dinner", "en")])] == list(QUERY_KINDS)
    names = [kind.name for kind in kinds_present(TEXTS)]
    assert set(names) >= {kind.name for kind in query_kinds(languages=["zh"])}


@pytest.mark.parametrize("name", ["", "title+", "+", ".zh", "title."])
def test_names_of_another_form_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="is not PART"):
        QueryKind.parse(name)
