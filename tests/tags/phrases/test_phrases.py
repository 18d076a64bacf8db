"""Laws of phrases in texts."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.records import records

from manyview.corpus.shard import write_corpus
from manyview.corpus.sources.contract import VIEWS
from manyview.errors import DataError, UsageError
from manyview.tags.phrases import PhraseConfig, PhraseReport, phrases
from manyview.tags.phrases.english import english_phrases
from manyview.tags.phrases.run import language_of, run
from manyview.tags.sequence import joined


def view(
    text: str | None, id: str = "a", kind: str = "caption", lang: str | None = "", weight: float | None = 1.0
) -> dict:  # type: ignore[type-arg]
    return {"id": id, "kind": kind, "text": text, "lang": lang, "weight": weight, "origin": "table:1"}


def made(tmp_path: Path, *rows: dict, **told: object) -> tuple[list[dict], PhraseReport]:  # type: ignore[type-arg]
    table = pa.Table.from_pylist(list(rows), schema=VIEWS)
    report = phrases([table], PhraseConfig.model_validate(told), tmp_path / "out.parquet")
    written = pq.read_table(tmp_path / "out.parquet")
    assert written.schema.equals(VIEWS)
    return written.to_pylist(), report


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A man wearing a red hat is riding a brown horse on the beach.", ["man", "red hat", "brown horse", "beach"]),
        ("Two dogs running in the green grass", ["dogs", "green grass"]),
        ("a tall brick building with many windows", ["tall brick building", "windows"]),
        ("Nike Air Max running shoes for women, black", ["Nike Air Max running shoes", "women"]),
        ("Fresh apples and pears", ["fresh apples", "pears"]),
        ("", []),
        ("3 & 4, 5!", []),
    ],
)
def test_english_phrases_stand_between_function_words_and_verbs(text: str, expected: list[str]) -> None:
    assert [joined(words) for words in english_phrases([text])[0]] == expected


@settings(max_examples=50)
@given(st.text(max_size=60))
def test_english_phrases_are_words_of_the_text_in_their_order(text: str) -> None:
    (found,) = english_phrases([text])
    rest = text.lower()
    for word in (word for words in found for word in words):
        place = rest.find(word.lower())
        assert place >= 0
        rest = rest[place + len(word) :]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("一只黑白相间的小狗在绿色草地上奔跑", ["黑白相间的小狗", "绿色草地"]),
        ("一张木制的旧桌子和两把蓝色椅子", ["木制的旧桌子", "蓝色椅子"]),
        ("红苹果", ["红苹果"]),
        ("在跑。", []),
    ],
)
def test_chinese_phrases_are_attributes_and_nouns_side_by_side(tmp_path: Path, text: str, expected: list[str]) -> None:
    rows, _ = made(tmp_path, view(text))
    assert [row["text"] for row in rows] == expected
    assert {row["lang"] for row in rows} <= {"zh"}


def test_each_phrase_is_a_view_with_the_weight_of_its_text(tmp_path: Path) -> None:
    rows, report = made(tmp_path, view("a red car and a tree", weight=0.25), view("a bus", id="b", weight=None))
    assert [(row["id"], row["kind"], row["text"], row["weight"], row["origin"]) for row in rows] == [
        ("a", "tags", "red car", 0.25, "table:1:rules:000"),
        ("a", "tags", "tree", 0.25, "table:1:rules:001"),
        ("b", "tags", "bus", 1.0, "table:1:rules:000"),
    ]
    assert report == PhraseReport(texts=2, views=3, left_out={})


def test_a_template_makes_one_text_of_them(tmp_path: Path) -> None:
    rows, _ = made(tmp_path, view("a red car and a tree"), template="The picture contains {tags}.")
    assert [row["text"] for row in rows] == ["The picture contains red car, tree."]
    with pytest.raises(ValueError, match="tags"):
        PhraseConfig(template="no list in it")


def test_every_text_is_counted_once_whatever_becomes_of_it(tmp_path: Path) -> None:
    rows, report = made(
        tmp_path,
        view("a red car"),
        view(None),
        view("  "),
        view("it is very"),
        view("ein rotes Auto", lang="de-AT"),
        view("赤い車の写真", lang=""),
        view("car " * 9999),
        view("a tree", kind="query"),
        default_lang="ja",
    )
    assert report.left_out == {
        "text: empty": 2,
        "text: no reader for the language de": 1,
        "text: no reader for the language ja": 3,
        "text: too long": 1,
    }
    assert (report.texts, report.views, rows) == (7, 0, [])


def test_languages_are_told_by_the_view_or_by_the_characters(tmp_path: Path) -> None:
    rows, report = made(
        tmp_path,
        view("a red car", lang="en-GB"),
        view("it is very", lang="en"),
        view("红苹果", lang=None),
        view("ein rotes Auto", lang="de"),
        view("赤い車", lang="ja"),
    )
    assert [(row["text"], row["lang"]) for row in rows] == [("red car", "en"), ("红苹果", "zh")]
    assert report.left_out == {
        "text: no phrase in it": 1,
        "text: no reader for the language de": 1,
        "text: no reader for the language ja": 1,
    }


@pytest.mark.parametrize(
    ("lang", "code"), [("en-GB", "en"), ("EN_us", "en"), ("und", "en"), ("zh_Hans", "zh"), ("", "en")]
)
def test_a_language_is_one_however_it_is_written(lang: str, code: str) -> None:
    assert language_of("a red hat", lang, "en") == code


def test_long_repeated_and_unwanted_phrases(tmp_path: Path) -> None:
    text = "a large modern red city bus, a Tree, a tree, a dog, a cat"
    rows, _ = made(tmp_path, view(text), max_words=3, top=3, exclude=["DOG"])
    assert [row["text"] for row in rows] == ["red city bus", "Tree", "cat"]


def test_a_file_of_views_is_read_as_tables_are(tmp_path: Path) -> None:
    table = pa.Table.from_pylist([view("a red car"), view("红苹果", id="b")], schema=VIEWS)
    pq.write_table(table, tmp_path / "views.parquet")
    phrases([table], PhraseConfig(), tmp_path / "tables.parquet")
    phrases(tmp_path / "views.parquet", PhraseConfig(), tmp_path / "file.parquet")
    assert (tmp_path / "file.parquet").read_bytes() == (tmp_path / "tables.parquet").read_bytes()


def test_a_corpus_is_read_by_its_records(tmp_path: Path) -> None:
    write_corpus(tmp_path / "corpus", {"train": records(6), "test": records(3, "other")}, name="small")
    report = run(tmp_path / "corpus", tmp_path / "out.parquet", None, ["kinds=[title]", "kind=things"])
    rows = pq.read_table(tmp_path / "out.parquet").to_pylist()
    english = [row for row in rows if row["lang"] == "en"]
    expected = [*(f"item/{of}" for of in range(6)), *(f"other/{of}" for of in range(3))]
    assert sorted(row["id"] for row in english) == expected
    assert {(row["text"], row["kind"]) for row in english} == {("thing", "things")}
    assert report.texts == 18, "nine items have a title in two languages"


def test_files_that_hold_no_views_are_said(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "other.parquet")
    (tmp_path / "folder.parquet").mkdir()
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    for name, error, said in (
        ("other", UsageError, "is no table of views: it has no column"),
        ("nowhere", UsageError, "no corpus and no table of views at"),
        ("damaged", DataError, "is damaged or no Parquet file"),
        ("folder", UsageError, "is a folder without a corpus"),
    ):
        with pytest.raises(error, match=said):
            phrases(tmp_path / f"{name}.parquet", PhraseConfig(), tmp_path / "out.parquet")
    assert not (tmp_path / "out.parquet").exists()
