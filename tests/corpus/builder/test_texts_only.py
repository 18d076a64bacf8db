"""Laws of building records of texts only: they join the image of their id, and nothing held out enters by them."""

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.builder.shop import (
    HERE,
    TABLE,
    built,
    config,
    content,
    everything,
    glossary,
    products,
    words,
    write_table,
)

from manyview.corpus import Corpus
from manyview.corpus.builder import BuildConfig, build
from manyview.corpus.sources.built import CorpusConfig
from manyview.errors import UsageError


def mixture(folder: Path, rows: list[dict[str, object]], pictures: int = 60, **more: object) -> BuildConfig:
    """Products with pictures, and these rows without."""
    write_table(folder / "products.parquet", products(pictures))
    table = {**TABLE, "path": str(folder / "products.parquet")}
    return config(sources=[table, glossary(folder / "words.jsonl", rows)], **more)


def test_rows_of_texts_are_records_to_train_on_and_join_the_image_of_their_id(tmp_path: Path) -> None:
    joining = [{"sku": f"p{n}", "title": f"Also {n}", "tags": [], "family": None} for n in range(0, 60, 7)]
    report, splits = built(mixture(tmp_path, [*words(200), *joining]), tmp_path / "out")
    _, alone = built(config(tmp_path / "products.parquet"), tmp_path / "alone")
    side = {id: split for split, records in splits.items() for id in records}
    assert {id for id, record in everything(splits).items() if record.image is None} == {f"w{n}" for n in range(200)}
    assert {side[f"w{n}"] for n in range(200)} == {"train"}
    for split, records in alone.items():  # the pictures are where they are without the words, and what they are
        for id, record in records.items():
            assert splits[split][id].image == record.image
            extra = [f"Also {id[1:]}"] if int(id[1:]) % 7 == 0 else []
            assert [t.text for t in splits[split][id].texts] == [t.text for t in record.texts] + extra
    for n in range(200):
        record = splits["train"][f"w{n}"]
        assert [(text.kind, text.text) for text in record.texts] == [
            ("title", f"Word {n}"),
            ("tags", f"kind {n % 5}"),
            ("tags", f"part {n}"),
        ]
        assert (record.source, record.group) == ("words", f"w{n}")
    assert report.texts_only == 200
    assert Corpus.open(tmp_path / "out").image_count("train") == len(alone["train"])


def test_nothing_of_a_held_out_record_enters_by_its_group_or_by_its_words(tmp_path: Path) -> None:
    """The groups p0, p4, ... of products have names; titles tie."""
    rows = words(40)
    for n in range(20):
        rows[n]["family"] = f"f{(n * 4) // 3}"
    for n in range(20, 40):
        rows[n]["title"] = f"THING number {n}"
    split = {"shares": {"train": 0.5, "test": 0.5}, "together": ["title"]}
    report, splits = built(mixture(tmp_path, rows, split=split), tmp_path / "out")
    _, alone = built(config(tmp_path / "products.parquet", split=split), tmp_path / "alone")
    held = alone["test"].values()
    groups, titles = (
        {record.group for record in held},
        {t.text.lower() for r in held for t in r.texts if t.kind == "title"},
    )
    expected = {row["sku"] for row in rows if row["family"] not in groups and str(row["title"]).lower() not in titles}
    assert 0 < len(expected) < 40
    assert {id for id, record in everything(splits).items() if record.image is None} == expected
    assert report.reasons["record: of texts only, of the group or with a text of a held-out record"] == 40 - len(
        expected
    )
    assert set(splits["test"]) == set(alone["test"])


def test_texts_are_cleaned_and_records_without_any_are_counted(tmp_path: Path) -> None:
    rows = words(10)
    rows[3] |= {"title": "n/a", "tags": ["", "!!"]}
    report, splits = built(mixture(tmp_path, rows, pictures=4), tmp_path / "out")
    assert "w3" not in everything(splits) and "w4" in everything(splits)
    assert report.reasons["record: neither an image nor enough texts"] == 1


def test_equal_ids_of_texts_are_one_record_and_rows_without_ids_are_one_each(tmp_path: Path) -> None:
    for name in ("en", "zh"):
        (tmp_path / name).mkdir()
    sources = [
        glossary(tmp_path / name / "words.jsonl", [{**row, "title": f"{name} {row['sku']}"} for row in words(5)])
        for name in ("en", "zh")
    ]
    _, splits = built(BuildConfig.model_validate({"sources": sources}), tmp_path / "named")
    (split,) = splits.values()
    assert {id: [t.text for t in r.texts if t.kind == "title"] for id, r in split.items()} == {
        f"w{n}": [f"en w{n}", f"zh w{n}"] for n in range(5)
    }
    unnamed = [{**source, "id": None, "group": None} for source in sources]
    _, splits = built(BuildConfig.model_validate({"sources": unnamed}), tmp_path / "unnamed")
    (split,) = splits.values()
    assert Counter(text.text for record in split.values() for text in record.texts if text.kind == "title") == Counter(
        f"{name} w{n}" for n in range(5) for name in ("en", "zh")
    )
    assert len(split) == 10


def test_a_corpus_of_such_records_is_built_again_from_itself_and_added_to(tmp_path: Path) -> None:
    told = mixture(tmp_path, words(30), pictures=20)
    _, first = built(told, tmp_path / "first")
    again = config(sources=[CorpusConfig(path=str(tmp_path / "first"))])
    _, second = built(again, tmp_path / "second")
    texts = lambda splits: {id: (r.image, r.texts) for id, r in everything(splits).items()}  # noqa: E731
    assert texts(first) == texts(second)
    more = config(sources=[glossary(tmp_path / "more.jsonl", words(30, start=20))])
    report, third = built(more, tmp_path / "first", mode="append")
    assert set(everything(third)) == {*everything(first), *(f"w{n}" for n in range(30, 50))}
    assert report.reasons["record: of texts only, and the corpus has one of its id"] == 10


def test_the_bytes_are_the_same_however_often_it_is_built(tmp_path: Path) -> None:
    told = mixture(tmp_path, words(50), pictures=20)
    for name in ("one", "two"):
        build(told, tmp_path / name, engine=HERE)
    assert content(tmp_path / "one") == content(tmp_path / "two")


def test_a_table_of_texts_is_guessed_and_parquet_serves_as_json_does(tmp_path: Path) -> None:
    rows = [{key: row[key] for key in ("title", "tags")} for row in words(12)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "words.parquet")
    for kind in ("table", "huggingface"):
        source = {"type": kind, "path": str(tmp_path / "words.parquet"), "texts_only": True}
        _, splits = built(BuildConfig.model_validate({"sources": [source]}), tmp_path / kind)
        (split,) = splits.values()
        assert sorted(record.texts[0].text for record in split.values()) == sorted(row["title"] for row in rows)


def test_a_source_without_images_is_refused_unless_told(tmp_path: Path) -> None:
    source = glossary(tmp_path / "words.jsonl", words(5), texts_only=False)
    with pytest.raises(UsageError, match=r"hold no image.*texts_only"):
        build(BuildConfig.model_validate({"sources": [source]}), tmp_path / "out", engine=HERE)
    with pytest.raises(UsageError, match=r"texts of no image.*texts_only: true"):
        build(BuildConfig.model_validate({"sources": [{**source, "id": None}]}), tmp_path / "out", engine=HERE)
    with pytest.raises(ValueError, match="name no `image`"):
        BuildConfig.model_validate({"sources": [{**source, "texts_only": True, "image": "x"}]})
