"""Laws of reading beside others: what pandas and `datasets` read from a file, here says the same or is counted."""

import csv
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pandas
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.corpus.records import png
from tests.corpus.sources.reading import Everything, everything

from manyview.corpus.sources.cells import NOTHING
from manyview.corpus.sources.config import open_source
from manyview.corpus.sources.huggingface import HuggingFaceConfig
from manyview.corpus.sources.table import TableConfig

Pairs = Counter[tuple[str, str, str]]
NONE = {"", *NOTHING.to_pylist()}
CELL = st.one_of(
    st.text("ab \"',;|\n\t[]{}\\é狗", max_size=8),
    st.sampled_from(["a cup", '12" ruler', '"big sale" today', "1,5", "007", "1.0", "['a']", *sorted(NONE)]),
)
ROWS = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6).map(
    lambda rows: [
        {"key": f"k{number}", "file": f"{number}.jpg", "title": title, "caption": caption, "note": note}
        for number, (title, caption, note) in enumerate(rows)
    ]
)
MAPPING: dict[str, Any] = {"id": "key", "image": "file", "views": {"title": "title", "caption": "caption"}}

Write = Callable[[pandas.DataFrame, Path], object]
Read = Callable[[Path], pandas.DataFrame]
TEXT: dict[str, Any] = {"dtype": str, "keep_default_na": False, "encoding": "utf-8"}
FORMATS: dict[str, tuple[str, Write, Read]] = {
    "csv": (".csv", lambda t, f: t.to_csv(f, index=False), lambda f: pandas.read_csv(f, **TEXT)),
    "csv quoted throughout": (
        ".csv",
        lambda t, f: t.to_csv(f, index=False, quoting=csv.QUOTE_ALL),
        lambda f: pandas.read_csv(f, **TEXT),
    ),
    "csv of semicolons": (
        ".csv",
        lambda t, f: t.to_csv(f, index=False, sep=";", lineterminator="\r\n"),
        lambda f: pandas.read_csv(f, sep=";", **TEXT),
    ),
    "csv with a mark": (
        ".csv",
        lambda t, f: t.to_csv(f, index=False, encoding="utf-8-sig"),
        lambda f: pandas.read_csv(f, **{**TEXT, "encoding": "utf-8-sig"}),
    ),
    "tsv": (
        ".tsv",
        lambda t, f: t.map(lambda cell: cell.replace("\t", " ")).to_csv(f, index=False, sep="\t"),
        lambda f: pandas.read_csv(f, sep="\t", **TEXT),
    ),
    "tsv quoted throughout": (
        ".tsv",
        lambda t, f: t.to_csv(f, index=False, sep="\t", quoting=csv.QUOTE_ALL),
        lambda f: pandas.read_csv(f, sep="\t", **TEXT),
    ),
    "jsonl": (
        ".jsonl",
        lambda t, f: t.to_json(f, orient="records", lines=True),
        lambda f: pandas.read_json(f, lines=True, dtype=False),
    ),
    "json": (
        ".json",
        lambda t, f: t.to_json(f, orient="records", indent=1),
        lambda f: pandas.read_json(f, dtype=False),
    ),
    "parquet": (".parquet", lambda t, f: t.to_parquet(f), pandas.read_parquet),
    "parquet of categories": (".parquet", lambda t, f: t.astype("category").to_parquet(f), pandas.read_parquet),
    "feather": (".feather", lambda t, f: t.to_feather(f), pandas.read_feather),
}


def texts_of(rows: list[dict[str, Any]]) -> Pairs:
    """(id, kind, text) of each cell that says something."""
    said = ((row["key"], kind, row[kind]) for row in rows for kind in ("title", "caption"))
    return Counter(
        (key, kind, text.strip()) for key, kind, text in said if text is not None and text.strip() not in NONE
    )


def assert_the_same(found: Everything, expected: Pairs, folder: Path, images: int) -> None:
    """All pairs and no others, or fewer of them with as many rows and texts counted."""
    pairs = Counter(found.texts())
    assert not pairs - expected
    assert len(expected - pairs) <= 3 * sum(found.skipped.values())
    for row in found.images:
        assert row["path"] == f"{folder}/{row['id'].removeprefix('k')}.jpg"
    assert len(found.images) + sum(found.skipped.values()) >= images
    if not found.skipped:
        assert pairs == expected and len(found.images) == images


def read_as_pandas(rows: list[dict[str, Any]], form: str, folder: Path) -> None:
    suffix, write, read = FORMATS[form]
    file = folder / f"table{suffix}"
    write(pandas.DataFrame(rows), file)
    expected = texts_of(read(file).to_dict("records"))
    source = HuggingFaceConfig if suffix == ".feather" else TableConfig
    found = everything(open_source(source(path=str(file), **MAPPING)))
    assert_the_same(found, expected, folder, len(rows))
    assert not found.skipped  # a file that pandas has written is whole


@pytest.mark.parametrize("form", FORMATS)
@given(rows=ROWS)
@settings(max_examples=20)
def test_a_table_says_what_pandas_reads(form: str, rows: list[Any], tmp_path_factory: pytest.TempPathFactory) -> None:
    read_as_pandas(rows, form, tmp_path_factory.mktemp("pandas"))


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
@given(rows=ROWS)
@settings(max_examples=300, deadline=None)
def test_many_tables_say_what_pandas_reads(
    form: str, rows: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    read_as_pandas(rows, form, tmp_path_factory.mktemp("pandas"))


FEATURES = datasets.Features(
    {
        "key": datasets.Value("string"),
        "image": datasets.Image(),
        "title": datasets.Value("string"),
        "caption": datasets.Sequence(datasets.Value("large_string")),
        "label": datasets.ClassLabel(names=["cat", "dog"]),
    }
)
SAMPLES = st.lists(st.tuples(st.none() | CELL, st.lists(CELL, max_size=3), st.integers(-1, 1)), min_size=1, max_size=5)


def read_as_datasets(samples: list[tuple[str | None, list[str], int]], form: str, folder: Path) -> None:
    datasets.disable_progress_bars()
    images = [png(number) for number in range(len(samples))]
    rows = [
        {
            "key": f"k{n}",
            "image": {"bytes": images[n], "path": None},
            "title": title,
            "caption": captions,
            "label": label,
        }
        for n, (title, captions, label) in enumerate(samples)
    ]
    made = datasets.Dataset.from_list(rows, features=FEATURES)
    if form == "arrow":
        made.save_to_disk(str(folder / "data"))
        known = datasets.load_from_disk(str(folder / "data"))
    else:
        (folder / "data").mkdir()
        made.to_parquet(str(folder / "data" / "train-00000-of-00001.parquet"))
        known = datasets.Dataset.from_parquet(str(folder / "data" / "*.parquet"), cache_dir=str(folder / "cache"))
    names = FEATURES["label"].names
    known = known.cast_column("image", datasets.Image(decode=False))
    expected = Pairs()
    for row in known:
        texts = [("title", row["title"]), *(("caption", text) for text in row["caption"])]
        texts += [("category", names[row["label"]])] if row["label"] is not None and row["label"] >= 0 else []
        expected.update((row["key"], kind, text.strip()) for kind, text in texts if text and text.strip() not in NONE)
    views = {"title": "title", "caption": "caption", "category": "label"}
    config = HuggingFaceConfig(path=str(folder / "data"), id="key", image="image", views=views)
    found = everything(open_source(config))
    assert Counter(found.texts()) == expected and not found.skipped
    assert [(row["id"], row["bytes"]) for row in found.images] == [(row["key"], row["image"]["bytes"]) for row in known]


@pytest.mark.parametrize("form", ["arrow", "parquet"])
@given(samples=SAMPLES)
@settings(max_examples=10, deadline=None)
def test_a_data_set_says_what_datasets_reads(
    form: str, samples: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    read_as_datasets(samples, form, tmp_path_factory.mktemp("datasets"))


@pytest.mark.slow
@pytest.mark.parametrize("form", ["arrow", "parquet"])
@given(samples=SAMPLES)
@settings(max_examples=60, deadline=None)
def test_many_data_sets_say_what_datasets_reads(
    form: str, samples: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    read_as_datasets(samples, form, tmp_path_factory.mktemp("datasets"))
