"""Laws of column types: a value says the same whatever type Arrow or Parquet gives its column."""

import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from tests.corpus.sources.reading import everything

from manyview.corpus.sources.cells import NOTHING
from manyview.corpus.sources.guess import guess_source
from manyview.corpus.sources.huggingface import HuggingFaceConfig, HuggingFaceSource
from manyview.corpus.sources.table import TableConfig, TableSource

TEXTS = ["a cup", None, "名", "a cup"]
IDS = [3, 7, 12, 100]
STRINGS = [pa.string(), pa.large_string(), pa.string_view()]
OF_TEXT = [
    *STRINGS,
    pa.binary(),
    pa.large_binary(),
    pa.binary_view(),
    *(pa.dictionary(index, value) for index in (pa.int8(), pa.uint32()) for value in STRINGS[:2]),
    *(pa.list_(value) for value in STRINGS),
    pa.large_list(pa.string()),
    pa.list_(pa.string(), 1),
    pa.list_view(pa.string()),
    pa.large_list_view(pa.large_string()),
    pa.list_(pa.dictionary(pa.int32(), pa.string())),
]
OF_NUMBERS = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.decimal128(9, 2), pa.decimal256(40, 3), pa.decimal128(5, 0)),
    pa.dictionary(pa.int8(), pa.int64()),
    pa.dictionary(pa.int16(), pa.float64()),
]


def column(values: list[Any], kind: pa.DataType) -> pa.Array:
    """The values in a type; in a list type each is a list of one."""
    inner = getattr(kind, "value_type", kind)
    if pa.types.is_nested(kind):
        return pa.array([None if value is None else [value] for value in values], kind)
    if "binary" in str(kind):
        return pa.array([None if value is None else value.encode() for value in values], kind)
    if pa.types.is_dictionary(kind):
        return pa.array(values, inner).dictionary_encode().cast(kind)
    if pa.types.is_decimal(kind):
        return pa.array([Decimal(value) for value in values], kind)
    return pa.array(values, kind)


def read(table: pa.Table, folder: Path) -> list[list[tuple[str, str]]]:
    """(id, text) as a data set of Arrow files gives them, and as a Parquet table does where Parquet has the type."""
    mapping: dict[str, Any] = {"id": "id", "views": {"title": "title"}}
    (folder / "set").mkdir()
    with pa.ipc.new_stream(folder / "set" / "data-00000-of-00001.arrow", table.schema) as stream:
        stream.write_table(table)
    (folder / "feather").mkdir()
    pyarrow.feather.write_feather(table, folder / "feather" / "data.feather")
    sources: list[Any] = [
        HuggingFaceSource(HuggingFaceConfig(path=str(folder / n), **mapping)) for n in ("set", "feather")
    ]
    try:
        pq.write_table(table, folder / "t.parquet")
    except (pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowInvalid):
        assert any(mark in str(table.schema) for mark in ("view", "halffloat"))
    else:
        if "fixed_size_list" not in str(table.schema):  # of which pyarrow cannot read nulls from Parquet
            sources.append(TableSource(TableConfig(path=str(folder / "t.parquet"), **mapping)))
    found = [everything(source) for source in sources]
    assert all(one.skipped == {"row: neither image nor text": 1} for one in found)
    return [one.texts("id", "text") for one in found]


@pytest.mark.parametrize("kind", OF_TEXT, ids=str)
def test_a_text_is_the_same_in_every_type(kind: pa.DataType, tmp_path: Path) -> None:
    expected = [("3", "a cup"), ("12", "名"), ("100", "a cup")]
    for found in read(pa.table({"id": pa.array(IDS), "title": column(TEXTS, kind)}), tmp_path):
        assert found == expected


@pytest.mark.parametrize("kind", OF_NUMBERS, ids=str)
def test_a_whole_number_is_the_same_id_in_every_type(kind: pa.DataType, tmp_path: Path) -> None:
    for found in read(pa.table({"id": column(IDS, kind), "title": pa.array(TEXTS)}), tmp_path):
        assert [id_ for id_, _ in found] == ["3", "12", "100"]


def test_an_id_that_pandas_made_a_float_is_the_number(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,group,title\n7.0,1.0,a\n,2.0,b\n8.00,,c\n2.5,2,d\n")
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"), image="title", id="id", group="group")))
    assert [(row["id"], row["group"]) for row in found.images] == [("7", "1"), ("8", None), ("2.5", "2")]


@pytest.mark.parametrize("nothing", ["", " ", *NOTHING.to_pylist()])
def test_a_word_for_nothing_is_no_id_no_text_and_no_tag(nothing: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(f'id,title,tags\n{nothing},a,b\n2,{nothing},"x,{nothing},y"\n3,c,{nothing}\n')
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.csv"))))
    assert sorted(found.texts()) == [("2", "tags", "x"), ("2", "tags", "y"), ("3", "title", "c")]
    assert found.skipped == {"id: empty": 1}


def test_keys_of_a_map_are_columns_and_a_uuid_is_its_text(tmp_path: Path) -> None:
    ids = [uuid.UUID(int=number) for number in (1, 2)]
    names = pa.array([[("en", "dog"), ("zh", "狗")], [("zh", "猫")]], pa.map_(pa.string(), pa.string()))
    pq.write_table(
        pa.table({"id": pa.array([one.bytes for one in ids], pa.uuid()), "names": names}), tmp_path / "t.parquet"
    )
    views = {"title": ["names.en", "names.zh"]}
    found = everything(TableSource(TableConfig(path=str(tmp_path / "t.parquet"), id="id", views=views)))
    assert found.texts("id", "text") == [(str(ids[0]), "dog"), (str(ids[0]), "狗"), (str(ids[1]), "猫")]


def test_a_feather_file_needs_no_config(tmp_path: Path) -> None:
    pyarrow.feather.write_feather(pa.table({"id": ["a"], "title": ["b"]}), tmp_path / "t.feather")
    assert guess_source(str(tmp_path / "t.feather")).describe() == "id <- id, title <- title"
