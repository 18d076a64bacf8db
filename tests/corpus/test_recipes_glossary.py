"""Laws of reading WordNet and Unihan, and of making a glossary of them."""

import bz2
from collections import Counter
from pathlib import Path

import pytest
from glossary import build
from packages import Package
from sources import unihan, wordnet, wordnet_rows
from sources.unihan import english_words, unihan_rows
from sources.wordnet import WordNet, read_wordnet
from sources.wordnet_rows import definition, is_common

from manyview.corpus import Corpus, Record

LICENSE = "  1 This software and database is being provided to you\n"
TAXON, COUNTRY = wordnet_rows.TAXA[1:], wordnet_rows.COUNTRY[1:]
FILES = {
    "data.noun": f"""\
00000001 03 n 01 entity 0 001 ~ 00000002 n 0000 | that which is
00000002 13 n 02 food 0 nutrient 0 003 @ 00000001 n 0000 ~ 00000003 n 0000 ~ 00000004 n 0000 | what can be eaten
00000003 13 n 02 meal 0 repast 0 003 @ 00000002 n 0000 ~ 00000004 n 0000 ~ 00000005 n 0000 | food eaten at one time
00000004 13 n 01 lunch 0 001 @ 00000003 n 0000 | a midday meal; "they ate lunch"
00000005 13 n 01 dinner 0 003 @ 00000003 n 0000 + 00000010 v 0101 %p 00000006 n 0000 | the main meal, served with cakes
00000006 13 n 01 cake 0 001 @ 00000002 n 0000 | baked goods
00000007 06 n 01 cake 1 001 @ 00000001 n 0000 | a block of soap
00000008 09 n 01 Quine 0 001 @i 00000001 n 0000 | United States philosopher
{TAXON} 14 n 01 taxonomic_group 0 001 ~ 00000009 n 0000 | animal or plant group
00000009 20 n 01 genus_Malus 0 001 @ {TAXON} n 0000 | apple trees
{COUNTRY} 15 n 01 country 0 002 @ 00000001 n 0000 ~i 00000011 n 0000 | the territory occupied by a nation
00000011 15 n 01 Fiji 0 001 @i {COUNTRY} n 0000 | an independent state
""",
    "data.verb": "00000010 34 v 01 dine 0 001 + 00000005 n 0101 01 + 08 00 | have supper; eat dinner\n",
    "data.adj": "00000012 00 s 01 edible(p) 0 001 & 00000013 a 0000 | suitable for use as food\n"
    "00000013 00 a 01 good 0 000 | having desirable qualities\n",
    "data.adv": "00000014 02 r 01 well 0 001 \\ 00000013 a 0101 | in a good manner\n",
    "index.noun": "".join(
        f"{lemma} n {len(keys)} 1 @ {len(keys)} 1 {' '.join(keys)}\n"
        for lemma, keys in {
            "entity": ["00000001"],
            "food": ["00000002"],
            "nutrient": ["00000002"],
            "meal": ["00000003"],
            "repast": ["00000003"],
            "lunch": ["00000004"],
            "dinner": ["00000005"],
            "cake": ["00000006", "00000007"],
            "quine": ["00000008"],
            "taxonomic_group": [TAXON],
            "genus_malus": ["00000009"],
            "country": [COUNTRY],
            "fiji": ["00000011"],
        }.items()
    ),
    "index.verb": "dine v 1 1 + 1 1 00000010\n",
    "index.adj": "edible a 1 1 & 1 0 00000012\ngood a 1 0 1 1 00000013\n",
    "index.adv": "well r 1 1 \\ 1 0 00000014\n",
    "cntlist.rev": "cake%1:13:00:: 1 7\nmeal%1:13:00:: 1 27\nedible%5:00:00:good:00 1 2\n",
    "noun.exc": "geese goose\n",
    "verb.exc": "ate eat\n",
    "adj.exc": "better good\n",
}
READINGS = """\
# Unihan_Readings.txt
U+9910\tkDefinition\teat, dine; a meal (formal)
U+9910\tkHanyuPinlu\tcān(44)
U+4E86\tkDefinition\tparticle of completed action
U+4E86\tkHanyuPinlu\tle(9)
U+9911\tkDefinition\tmeal
"""


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Both packages, unpacked."""

    def folder(package: Package) -> Path:
        return tmp_path / "unpacked" / package.archive.removesuffix(".deb")

    database = folder(wordnet.PACKAGE) / wordnet.FOLDER
    database.mkdir(parents=True)
    for name, text in FILES.items():
        (database / name).write_text((LICENSE if name.startswith("data") else "") + text, encoding="utf-8")
    readings = folder(unihan.PACKAGE) / unihan.FILE
    readings.parent.mkdir(parents=True)
    readings.write_bytes(bz2.compress(READINGS.encode()))
    return tmp_path


@pytest.fixture
def words(cache: Path) -> WordNet:
    return read_wordnet(cache / "unpacked" / wordnet.PACKAGE.archive.removesuffix(".deb"))


def rows(words: WordNet, common: bool = False) -> tuple[dict[str, Record], Counter[str]]:
    dropped = Counter[str]()
    return {record.texts[0].text: record for record in wordnet_rows.wordnet_rows(words, dropped, common)}, dropped


def tags(record: Record) -> list[str]:
    return [text.text for text in record.texts if text.kind == "tags"]


@pytest.mark.parametrize(
    ("word", "lemma"),
    [("cakes", "cake"), ("dined", "dine"), ("dining", "dine"), ("ate", "eat"), ("geese", "goose"), ("meal", "meal"),
     ("better", "good"), ("with", None), ("s", None)],
)  # fmt: skip
def test_an_inflected_word_is_a_form_of_its_lemma(words: WordNet, word: str, lemma: str | None) -> None:
    assert words.base_form(word) == lemma


def test_the_meanings_of_a_word_share_its_uses_and_one_more_each(words: WordNet) -> None:
    assert words.synsets["n00000006"].uses == (7,)
    assert words.synsets["n00000006"].shares == (8 / 9,)
    assert words.synsets["n00000007"].shares == (1 / 9,)
    assert words.synsets["a00000012"].lemmas == ("edible",)
    assert words.synsets["a00000012"].uses == (2,)


def test_a_synset_is_tied_to_what_it_is_its_kinds_its_parts_its_family_and_its_gloss(words: WordNet) -> None:
    records, _ = rows(words)
    assert tags(records["dinner"]) == ["meal", "repast", "food", "cake", "dine"]
    assert tags(records["meal"]) == ["repast", "food", "nutrient", "entity", "lunch", "dinner"]
    assert [(text.text, text.weight) for text in records["cake"].texts if text.kind == "title"] == [("cake", 1 / 9)]
    assert records["lunch"].texts[-1].text == "a midday meal"


def test_a_record_repeats_no_tag_and_has_no_picture(words: WordNet) -> None:
    records, _ = rows(words)
    for record in records.values():
        assert len(tags(record)) == len(set(tags(record)))
        assert record.image is None
        assert record.id == record.group


def test_what_has_too_many_kinds_ties_nothing(words: WordNet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordnet_rows, "MOST_BELOW", 4)  # all but entity have fewer
    records, dropped = rows(words)
    assert "entity" not in records
    assert "entity" not in tags(records["meal"])
    assert dropped["tied to nothing"] > 0


def test_adverbs_and_latin_names_are_left_out_and_counted(words: WordNet) -> None:
    dropped = Counter[str]()
    records = list(wordnet_rows.wordnet_rows(words, dropped, common=False))
    assert dropped["adverb"] == 1
    assert dropped["name of a genus, a family or an order"] == 2
    assert len(records) + dropped.total() == len(words.synsets)


def test_common_are_words_met_in_texts_what_people_draw_and_countries(words: WordNet) -> None:
    records, dropped = rows(words, common=True)
    assert dropped["not common"] > 0
    assert {"meal", "dinner", "Fiji"} <= records.keys()
    assert "Quine" not in records
    assert "dine" not in records
    assert not is_common(words.synsets["n00000008"])


def test_a_definition_ends_before_the_second_meaning_and_the_examples(words: WordNet) -> None:
    assert definition(words.synsets["n00000004"]) == "a midday meal"
    assert definition(words.synsets["v00000010"]) == "have supper"


@pytest.mark.parametrize(
    ("meaning", "english"),
    [
        ("eat, dine; a meal (formal)", ["eat", "dine", "meal"]),
        ("dog; radical number 94", ["dog"]),
        ("to go, to come; go", ["go", "come"]),
        ("surname; particle of speech", []),
    ],
)
def test_a_character_means_english_words(meaning: str, english: list[str]) -> None:
    assert english_words(meaning) == english


def test_characters_in_use_that_mean_something_are_rows(cache: Path) -> None:
    dropped = Counter[str]()
    (record,) = unihan_rows(cache / "unpacked" / unihan.PACKAGE.archive.removesuffix(".deb"), dropped)
    assert [(text.kind, text.text, text.lang) for text in record.texts] == [
        ("title", "餐", "zh"),
        ("tags", "eat", "en"),
        ("tags", "dine", "en"),
        ("tags", "meal", "en"),
    ]
    assert dropped == {"character of rare or older texts": 1, "no meaning of its own": 1}


def test_the_recipe_reads_its_two_packages_and_no_corpus(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> Corpus:
        raise AssertionError(f"the glossary may not depend on {path}")

    with monkeypatch.context() as patched:
        patched.setattr(Corpus, "open", refuse)
        for name in ("one", "two"):
            build(tmp_path / name, cache, common=False)
    files = [file.relative_to(tmp_path / "one") for file in (tmp_path / "one").rglob("*") if file.is_file()]
    assert all((tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes() for file in files)
    written = list(Corpus.open(tmp_path / "one").records("train"))
    assert {record.source for record in written} == {"wordnet", "unihan"}
    assert all(record.image is None for record in written)
