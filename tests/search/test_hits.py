from manyview.corpus import Text
from manyview.search import Hit
from manyview.search.hits import shown_titles


def test_the_most_title_like_kind_is_shown_once_a_language() -> None:
    texts = (
        Text("tags", "cat"),
        Text("caption", "a cat on a mat", "en"),
        Text("title", "Cat", "en"),
        Text("title", "猫", "zh"),
        Text("title", "Kitty", "en"),
    )
    assert shown_titles(texts) == {"en": "Cat", "zh": "猫"}
    assert shown_titles(texts[:2]) == {"en": "a cat on a mat"}
    assert shown_titles(texts[:1]) == {"": "cat"}
    assert shown_titles(()) == {}


def test_a_hit_without_a_title_goes_by_its_id() -> None:
    hit = Hit(1, 0.5, "x/1", (), "test", "", "", "", b"")
    assert hit.title == "x/1"
    assert "thumbnail" not in hit.as_json()
