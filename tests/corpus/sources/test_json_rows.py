"""Laws of JSON tables: the same objects say the same, however they are laid out in the file."""

import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.corpus.sources.reading import everything

from manyview.corpus.sources import table_rows
from manyview.corpus.sources.guess import guess_source
from manyview.corpus.sources.table import TableConfig, TableSource

Row = dict[str, Any]
ROWS: list[Row] = [
    {"id": number, "title": f"a \u72d7 {{[{number}]}}\n", "tags": ["x", str(number)]} for number in range(20)
]

LAYOUTS: dict[str, Callable[[list[Row]], str]] = {
    "lines": lambda rows: "\n".join(map(json.dumps, rows)),
    "lines with a mark": lambda rows: "\ufeff" + "\r\n".join(map(json.dumps, rows)),
    "array": json.dumps,
    "array over lines": lambda rows: json.dumps(rows, indent=2),
    "array with a mark": lambda rows: "\ufeff\n " + json.dumps(rows, ensure_ascii=False),
    "objects over lines": lambda rows: "\n".join(json.dumps(row, indent=4) for row in rows),
    "objects without breaks": lambda rows: json.dumps(rows[0], indent=1) + "".join(map(json.dumps, rows[1:])),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("block_rows", [3, 1000])
def test_objects_say_the_same_in_every_layout(
    layout: str, block_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_rows, "MAX_BLOCK_ROWS", block_rows)
    file = tmp_path / "rows.json"
    file.write_text(LAYOUTS[layout](ROWS), encoding="utf-8", newline="")
    found = everything(TableSource(TableConfig(path=str(file))))
    expected = {(str(row["id"]), "title", row["title"].strip()) for row in ROWS}
    expected |= {(str(row["id"]), "tags", tag) for row in ROWS for tag in row["tags"]}
    assert set(found.texts()) == expected and len(found.views) == len(expected)
    assert {view["origin"] for view in found.views if view["kind"] == "title"} == {
        f"rows.json:{number}:title" for number in range(20)
    }
    assert not found.skipped


@given(
    st.lists(
        st.one_of(st.just([1]), st.integers(), st.fixed_dictionaries({"id": st.integers(), "title": st.just("a")}))
    )
)
def test_what_is_no_object_in_an_array_is_counted(tmp_path_factory: pytest.TempPathFactory, values: list[Any]) -> None:
    rows = [{"id": "first", "title": "a"}, *values]
    file = tmp_path_factory.mktemp("array") / "rows.json"
    file.write_text(json.dumps(rows))
    found = everything(TableSource(TableConfig(path=str(file))))
    assert len(found.views) == sum(isinstance(row, dict) for row in rows)
    assert found.skipped["row: not a JSON object"] == len(rows) - len(found.views)


@pytest.mark.parametrize("indent", [None, 1])
def test_a_cut_array_gives_the_rows_before_the_cut(indent: int | None, tmp_path: Path) -> None:
    whole = json.dumps(ROWS, indent=indent)
    (tmp_path / "rows.json").write_text(whole[: len(whole) // 2])
    found = everything(TableSource(TableConfig(path=str(tmp_path / "rows.json"))))
    ids = list(dict.fromkeys(id_ for (id_,) in found.texts("id")))
    assert 5 < len(ids) < 20 and ids == [str(number) for number in range(len(ids))]
    assert found.skipped == Counter({"file: damaged": 1})


def test_lines_of_which_the_first_is_damaged_stay_lines(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text('{"id": 1, "title": \n{"id": 2, "title": "b"}\n{"id": 3, "title": "c"}\n')
    found = everything(TableSource(TableConfig(path=str(tmp_path / "rows.jsonl"))))
    assert found.texts("id", "text") == [("2", "b"), ("3", "c")]
    assert found.skipped == Counter({"row: not JSON": 1})


def test_a_packed_array_needs_no_config(tmp_path: Path) -> None:
    (tmp_path / "captions.json.gz").write_bytes(
        gzip.compress(json.dumps([{"image": "a.jpg", "caption": "b"}]).encode())
    )
    config = guess_source(str(tmp_path / "captions.json.gz"))
    assert config.type == "table" and config.describe() == "image <- image, caption <- caption"


def test_a_key_that_is_no_text_is_no_column(tmp_path: Path) -> None:
    (tmp_path / "t.jsonl").write_text('{"id": 1, "title": "a", "\\ud800x": 1}\n')
    assert everything(TableSource(TableConfig(path=str(tmp_path / "t.jsonl")))).texts("text") == [("a",)]
