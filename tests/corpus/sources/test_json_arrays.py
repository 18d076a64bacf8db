"""Laws of reading one large JSON object: what the json module gives, in whatever pieces it comes."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.sources import json_arrays
from manyview.corpus.sources.json_arrays import array_elements, json_values

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


def by_json(document: dict[str, Any]) -> list[tuple[str, Any]]:
    return [(key, one) for key, value in document.items() for one in (value if isinstance(value, list) else [value])]


@given(st.dictionaries(st.text(max_size=4), VALUES, max_size=4), st.sampled_from([None, 1]), st.integers(1, 40))
def test_elements_are_those_of_the_json_module(document: dict[str, Any], indent: int | None, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrays, "CHUNK", chunk)
        data = json.dumps(document, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
        assert list(array_elements(io.BytesIO(data))) == by_json(document)


@given(st.integers(0, 60))
def test_a_cut_document_gives_whole_elements_and_then_an_error(cut: int) -> None:
    document = {"images": [{"id": 1}, {"id": 2}], "annotations": [{"id": 3}]}
    found = []
    with pytest.raises(ValueError):
        for pair in array_elements(io.BytesIO(json.dumps(document).encode()[:cut])):
            found.append(pair)
    assert found == by_json(document)[: len(found)]


@pytest.mark.parametrize("wrong", [b"", b"[1]", b"null", b'{"a" 1}', b'{"a": [1 2]}', b"{1: 2}", b'{"a": 1', b"\xff"])
def test_what_is_no_object_is_an_error(wrong: bytes) -> None:
    with pytest.raises(ValueError):
        list(array_elements(io.BytesIO(wrong)))


def test_a_value_larger_than_any_is_an_error_and_not_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_arrays, "CHUNK", 10)
    monkeypatch.setattr(json_arrays, "MAX_VALUE", 100)
    stream = io.BytesIO(b'{"a": ["' + b"x" * 10_000)
    with pytest.raises(ValueError):
        list(array_elements(stream))
    assert stream.tell() < 1000


@given(st.lists(VALUES, max_size=4), st.sampled_from([None, 1]), st.integers(1, 40))
def test_an_array_and_values_in_a_row_are_read_one_by_one(values: list[Any], indent: int | None, chunk: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrays, "CHUNK", chunk)
        objects = [{"a": value} for value in values]
        for text in (json.dumps(objects, indent=indent), "\n".join(json.dumps(one, indent=indent) for one in objects)):
            assert [value for _, value in json_values(io.BytesIO(text.encode()))] == objects


@pytest.mark.parametrize("wrong", [b"[1", b"[1 2]", b"[1] 2", b'{"a": 1', b"\xff"])
def test_what_is_no_row_of_values_is_an_error(wrong: bytes) -> None:
    with pytest.raises(ValueError):
        list(json_values(io.BytesIO(wrong)))
