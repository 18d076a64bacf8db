"""Laws of written lists: whoever wrote a list into a cell, its texts come back one by one and in order."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.guess import guess_source
from manyview.corpus.sources.table import TableConfig, TableSource
from manyview.corpus.sources.written_lists import written_list

ITEMS = st.lists(st.text("abc'\"\\\\,;|{}[] é", min_size=1, max_size=6), min_size=1, max_size=4)


def postgres(items: list[str]) -> str:
    quoted = ['"' + item.replace("\\", "\\\\").replace('"', '\\"') + '"' for item in items]
    return "{" + ",".join(quoted) + "}"


def of_numpy(items: list[str]) -> str:
    with np.printoptions(threshold=1000, linewidth=20):
        return str(np.array(items, dtype=object))


@given(ITEMS)
def test_a_list_of_any_program_comes_back(items: list[str]) -> None:
    for write in (json.dumps, repr, of_numpy, lambda some: repr(tuple(some))):
        assert written_list(write(items)) == items
    assert [item.strip() for item in written_list(postgres(items)) or []] == [item.strip() for item in items]


@pytest.mark.parametrize("text", ["red", "[NEW] red mug", "(2020)", "a [b]", "{", "[", "", "[a, b", "('a')"])
def test_what_is_no_list_is_a_text(text: str) -> None:
    assert written_list(text) is None


def test_bare_words_between_braces_are_an_array_of_postgres() -> None:
    assert written_list("{red,dark kitchen}") == ["red", "dark kitchen"]
    assert written_list("{'red', 'kitchen', 'red'}") == ["red", "kitchen", "red"]


WRITERS: dict[str, Callable[[list[str]], str]] = {
    "Python": repr,
    "JSON": json.dumps,
    "numpy": of_numpy,
    "PostgreSQL": postgres,
    **{f"{mark!r}": mark.join for mark in (",", ", ", ";", "|", " | ", "，", "、", "；")},
}
TAGS = [["red", "dark kitchen"], ["cup"], ["small", "blue", "for tea"]]


@pytest.mark.parametrize("writer", WRITERS)
def test_tags_in_a_cell_are_tags_however_they_are_written(writer: str, tmp_path: Path) -> None:
    buffer = io.StringIO(newline="")
    rows = [(str(number), WRITERS[writer](tags)) for number, tags in enumerate(TAGS)]
    csv.writer(buffer).writerows([("id", "tags"), *rows])
    (tmp_path / "t.csv").write_text(buffer.getvalue(), encoding="utf-8", newline="")
    config = guess_source(str(tmp_path / "t.csv"))
    found = everything(TableSource(config))
    expected = [(str(number), "tags", tag) for number, tags in enumerate(TAGS) for tag in tags]
    assert found.texts() == expected and not found.skipped
    assert "split at" in config.describe() or "lists written out" in config.describe()


@pytest.mark.parametrize("column", ["captions", "title", "description"])
def test_texts_of_any_kind_may_be_lists_where_most_cells_are(column: str, tmp_path: Path) -> None:
    rows = [
        {"id": "1", column: "['a cup', 'a mug']"},
        {"id": "2", column: "['b']"},
        {"id": "3", column: "a, plain one"},
    ]
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.jsonl"))))
    assert found.texts("id", "text") == [("1", "a cup"), ("1", "a mug"), ("2", "b"), ("3", "a, plain one")]


def test_brackets_in_a_few_captions_are_theirs(tmp_path: Path) -> None:
    captions = ["[music]", "a man, singing", "['quoted']"]
    (tmp_path / "t.jsonl").write_text("\n".join(json.dumps({"id": i, "caption": c}) for i, c in enumerate(captions)))
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.jsonl"))))
    assert [text for (text,) in found.texts("text")] == captions


def test_an_object_in_a_cell_of_tags_is_counted_and_no_tag(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text('id,title,tags\n1,a,"{""color"": ""red"", ""size"": 3}"\n2,b,"x, y"\n3,c,[]\n')
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"))))
    assert [text for kind, text in found.texts("kind", "text") if kind == "tags"] == ["x", "y"]
    assert found.skipped == {"text: not a text or number": 1}


def test_a_separator_that_is_named_holds_but_cuts_no_list(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,tags\n1,a|b;c\n2,\"['d|e', 'f']\"\n")
    config = TableConfig(path=str(tmp_path / "t.csv"), id="id", views={"tags": {"column": "tags", "split": "|"}})
    assert [text for (text,) in everything(TableSource(config)).texts("text")] == ["a", "b;c", "d|e", "f"]
