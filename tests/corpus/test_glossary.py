"""Laws of the glossary that comes with the package, above all what it must not know."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest
from glossary import TITLE, glossary_about, glossary_readme

from manyview.corpus import Corpus, Record
from manyview.corpus.fingerprint import normalized_text
from manyview.model.ngrams import words_of

NAMES = ("id", "group")
MOST_WORDS = 4  # "sitting in a chair" is in a gloss and in a caption; five words in a row would be a sentence
WRITTEN_WITHOUT_SPACES = re.compile(r"[\u2e80-\U0003ffff]")


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus.open("glossary")


@pytest.fixture(scope="module")
def records(corpus: Corpus) -> list[Record]:
    return list(corpus.records("train"))


@pytest.fixture(scope="module")
def held_out() -> list[Record]:
    starter = Corpus.open("starter")
    return [record for split in ("val", "test") for record in starter.records(split)]


def texts_of(record: Record, *kinds: str) -> set[str]:
    return {normalized_text(text.text) for text in record.texts if not kinds or text.kind in kinds}


def runs(texts: Iterable[str], count: int) -> set[tuple[str, ...]]:
    """All runs of so many words in a row."""
    told = (words_of(text) for text in set(texts))
    return {tuple(words[start : start + count]) for words in told for start in range(len(words) - count + 1)}


def test_it_is_small(corpus: Corpus) -> None:
    sizes = [file.stat().st_size for file in corpus.folder.rglob("*") if file.is_file()]
    assert max(sizes) < 2_000_000
    assert sum(sizes) < 5_000_000


def test_the_files_are_the_ones_the_manifest_describes(corpus: Corpus) -> None:
    corpus.verify()
    assert {file.name for file in corpus.folder.iterdir()} == {"data", "manifest.json", "README.md"}
    assert list(corpus.splits) == ["train"]


def test_no_record_has_a_picture(corpus: Corpus, records: list[Record]) -> None:
    assert corpus.image_count("train") == 0
    assert all(record.image is None for record in records)


def test_the_manifest_counts_what_is_there_and_the_readme_says_it(corpus: Corpus, records: list[Record]) -> None:
    about = corpus.manifest.about
    assert {
        **glossary_about(records, {source: {} for source in about["sources"]}),
        "dropped": about["dropped"],
    } == about
    written = (corpus.folder / "README.md").read_text(encoding="utf-8")
    assert written == glossary_readme(TITLE[True], about)


def test_the_notice_names_every_package_and_license(corpus: Corpus, records: list[Record]) -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    for package in corpus.manifest.about["packages"]:
        assert f"{package['name']} {package['version']}" in notice
    assert {record.license for record in records} == {"LicenseRef-WordNet-3.0", "Unicode-DFS-2015"}
    assert all(license in notice for license in {record.license for record in records})
    assert "Title to copyright in this software, database and" in notice
    assert "they have been modified" in notice


def test_every_record_has_titles_and_tags_and_says_no_tag_twice(records: list[Record]) -> None:
    for record in records:
        tags = [normalized_text(text.text) for text in record.texts if text.kind == "tags"]
        assert tags
        assert len(tags) == len(set(tags)), record.id
        titles = [text for text in record.texts if text.kind == "title"]
        assert titles
        assert all(0 < title.weight <= 1 for title in titles), record.id


def test_everyday_words_are_tied_to_what_they_are(records: list[Record]) -> None:
    tied = {
        (title, tag) for record in records for title in texts_of(record, "title") for tag in texts_of(record, "tags")
    }
    for pair in [
        ("dinner", "meal"),
        ("drink", "coffee"),
        ("beer", "beverage"),
        ("happy", "cheerful"),
        ("celebration", "happy"),
        ("cake", "food"),
        ("餐", "meal"),
        ("晚", "evening"),
    ]:
        assert pair in tied


def test_it_shares_no_id_and_no_group_with_the_starter_corpus(records: list[Record]) -> None:
    starter = Corpus.open("starter")
    blocks = [block for split in starter.splits for block in starter.blocks(split)]
    rows = [row for block in blocks for row in starter.read(block, NAMES).to_pylist()]
    assert not {record.id for record in records} & {row["id"] for row in rows}
    assert not {record.group for record in records} & {row["group"] for row in rows}


def test_no_five_words_in_a_row_of_a_held_out_record_are_in_it(records: list[Record], held_out: list[Record]) -> None:
    told = (text.text for record in held_out for text in record.texts)
    own = (text.text for record in records for text in record.texts)
    assert not runs(told, MOST_WORDS + 1) & runs(own, MOST_WORDS + 1)


def test_no_text_of_four_words_of_a_held_out_record_is_a_text_of_it(
    records: list[Record], held_out: list[Record]
) -> None:
    shared = {text for record in records for text in texts_of(record)} & {
        text for record in held_out for text in texts_of(record)
    }
    assert shared
    assert [text for text in shared if len(words_of(text)) >= MOST_WORDS] == []


def test_languages_are_english_and_single_chinese_characters(records: list[Record]) -> None:
    for record in records:
        for text in record.texts:
            assert text.lang in {"en", "zh"}
            assert (text.lang == "zh") == (len(text.text) == 1 and bool(WRITTEN_WITHOUT_SPACES.match(text.text)))
            assert text.lang == "zh" or not WRITTEN_WITHOUT_SPACES.search(text.text)


def test_no_row_says_all_that_a_held_out_record_says(records: list[Record], held_out: list[Record]) -> None:
    rows: dict[str, list[set[str]]] = {}
    for record in records:
        row = texts_of(record)
        for title in texts_of(record, "title"):
            rows.setdefault(title, []).append(row)
    for record in held_out:
        by_lang: dict[str, set[str]] = {}
        for text in record.texts:
            if text.kind == "tags":
                by_lang.setdefault(text.lang, set()).add(normalized_text(text.text))
        for title in texts_of(record, "title"):
            for tags in by_lang.values():
                assert len(tags) < 3 or not any(tags <= row for row in rows.get(title, ())), (record.id, title, tags)
