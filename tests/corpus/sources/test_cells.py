"""Laws of cells: a text is what a person would read in the cell, whatever its type."""

import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.sources.cells import MAX_TEXT_BYTES, as_numbers, as_texts, exploded

TEXT_TYPES = [
    pa.string(),
    pa.large_string(),
    pa.string_view(),
    pa.dictionary(pa.int32(), pa.string()),
    pa.binary(),
    pa.large_binary(),
]


def texts(values: list[Any], kind: pa.DataType) -> tuple[list[str | None], list[bool]]:
    found, wrong = as_texts(pa.array(values, kind))
    return found.to_pylist(), wrong.to_pylist()


@pytest.mark.parametrize("kind", TEXT_TYPES, ids=str)
def test_text_is_trimmed_and_blank_is_nothing(kind: pa.DataType) -> None:
    values = [" a b ", "", "  \n", None, "nan", "NaN", "None", "名", "\u3000"]
    raw = [value.encode() if value is not None and "binary" in str(kind) else value for value in values]
    found, wrong = texts(raw, kind)
    assert found == ["a b", None, None, None, None, None, None, "名", None]
    assert not any(wrong)


@given(st.lists(st.one_of(st.none(), st.floats(), st.integers(-(2**53), 2**53).map(float))))
def test_a_number_is_written_shortly(values: list[float | None]) -> None:
    found, wrong = texts(values, pa.float64())
    for value, text, bad in zip(values, found, wrong, strict=True):
        if value is None or math.isnan(value) or math.isinf(value):
            assert text is None and bad == (value is not None and math.isinf(value))
        else:
            assert float(text or "") == value and not (text or "").endswith(".0")


def test_whole_numbers_are_themselves_in_every_type() -> None:
    for kind in (pa.int8(), pa.uint64(), pa.float32(), pa.float64()):
        assert texts([7, None], kind) == (["7", None], [False, False])


def test_lists_of_one_are_what_they_hold_and_longer_ones_no_text() -> None:
    values = [["a"], [], None, ["a", "b"], ["c"]]
    for kind in (pa.list_(pa.string()), pa.large_list(pa.string())):
        assert texts(values, kind) == (["a", None, None, None, "c"], [False, False, False, True, False])


@pytest.mark.parametrize(
    ("values", "kind"),
    [([True, None], pa.bool_()), ([{"a": 1}, None], pa.struct([("a", pa.int64())])), ([b"\xff", None], pa.binary())],
)
def test_what_is_no_text_is_said_to_be_wrong(values: list[Any], kind: pa.DataType) -> None:
    assert texts(values, kind) == ([None, None], [True, False])


def test_a_string_column_with_bytes_that_are_no_utf8_loses_those_cells_only() -> None:
    broken = pa.StringArray.from_buffers(3, pa.py_buffer(b"\0\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0"), pa.py_buffer(b"ok\xffz"))
    found, wrong = as_texts(broken)
    assert found.to_pylist() == ["ok", None, "z"] and wrong.to_pylist() == [False, True, False]


CELLS = st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=4)), max_size=8)


@given(CELLS, st.integers(0, 3))
def test_lists_explode_element_by_element(values: list[list[str | None] | None], start: int) -> None:
    column = pa.array([None] * start + values, pa.list_(pa.string())).slice(start)
    found = exploded(column, "")
    expected = [
        (row, text.strip())
        for row, several in enumerate(values)
        for text in several or []
        if text is not None and pa.compute.utf8_trim_whitespace(text).as_py() not in {"", "nan", "NaN", "null", "NULL"}
    ]
    assert list(zip(found.rows.to_pylist(), found.texts.to_pylist(), strict=True)) == [
        (row, pa.compute.utf8_trim_whitespace(text).as_py()) for row, text in expected
    ]


@given(st.lists(st.one_of(st.none(), st.text("ab,; ", max_size=8)), max_size=6), st.sampled_from([",", "; "]))
def test_a_separator_cuts_cells_into_pieces(values: list[str | None], mark: str) -> None:
    found = exploded(pa.array(values, pa.string()), mark)
    expected = [
        (row, piece.strip())
        for row, cell in enumerate(values)
        for piece in (cell or "").strip().split(mark)
        if piece.strip()
    ]
    assert list(zip(found.rows.to_pylist(), found.texts.to_pylist(), strict=True)) == expected


LISTS = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view, lambda inner: pa.list_(inner, 2)]


@pytest.mark.parametrize("make", LISTS, ids=["list", "large", "view", "large view", "fixed"])
def test_every_kind_of_list_says_the_same(make: Any) -> None:
    values = [["a", "b"], None, ["c", None], None]
    found = exploded(pa.array(values, make(pa.string())), "")
    assert found.rows.to_pylist() == [0, 0, 2] and found.texts.to_pylist() == ["a", "b", "c"]


def test_values_hidden_under_a_null_list_are_nobodys() -> None:
    hidden = pa.ListArray.from_arrays([0, 1, 3, 4], ["a", "x", "y", "b"], mask=pa.array([False, True, False]))
    assert exploded(hidden, "").rows.to_pylist() == [0, 2]
    assert exploded(hidden, "").texts.to_pylist() == ["a", "b"]


ODD = [
    pa.array([1, None], pa.duration("s")),
    pa.array([1, None], pa.timestamp("us", "Nowhere/Never")),
    pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int64())),
    pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([1, 2]), pa.array(["a", "b"])]),
]


@pytest.mark.parametrize("column", ODD, ids=lambda column: str(column.type))
def test_odd_types_are_counted_and_no_error(column: pa.Array) -> None:
    assert exploded(column, "").skipped == {"text: not a text or number": len(column) - column.null_count}


@given(st.lists(st.text("abc'\"\\,[] é", min_size=1, max_size=6).map(str.strip).filter(bool), min_size=1, max_size=4))
def test_written_lists_are_read_as_json_and_as_python(items: list[str]) -> None:
    for written in (json.dumps(items), json.dumps(items, ensure_ascii=False), repr(items), repr(tuple(items))):
        assert exploded(pa.array([written, "plain"]), "list").texts.to_pylist() == [*items, "plain"]


@pytest.mark.parametrize("hostile", ["[" * 100_000, "[1, 2", "(", "[__import__('os')]", "[1e999, true, null, {}]"])
def test_a_list_written_badly_is_text_and_never_run(hostile: str) -> None:
    found = exploded(pa.array([hostile]), "list").texts.to_pylist()
    assert found in ([hostile], ["inf"], [])


def test_texts_too_long_and_elements_that_are_no_text_are_counted() -> None:
    long = "x" * (MAX_TEXT_BYTES + 1)
    assert exploded(pa.array([long, "y", long[1:]]), "").skipped == {"text: longer than 1 MB": 1}
    assert exploded(pa.array([[True], None, [False, True]]), "").skipped == {"text: not a text or number": 3}
    assert exploded(pa.array([b"\xff", b"a"]), "").skipped == {"text: not UTF-8": 1}
    assert exploded(pa.array([f"{long},b"]), ",").texts.to_pylist() == ["b"]


def test_numbers_may_be_written() -> None:
    found, wrong = as_numbers(pa.array(["0.5", " 2 ", "many", None, "nan"]))
    assert found.to_pylist() == [0.5, 2.0, None, None, None] and wrong.to_pylist() == [False, False, True, False, False]
    assert as_numbers(pa.array([1, None], pa.int8()))[0].to_pylist() == [1.0, None]
