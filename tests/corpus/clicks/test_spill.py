"""Laws of parts and sums."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.clicks.groups import sums_by
from manyview.corpus.clicks.spill import hashes, part_of_texts, read_part, write_spill

KEY = st.one_of(st.integers(0, 3), st.integers(0, 2**62))


@given(st.lists(st.tuples(KEY, KEY, KEY, st.integers(0, 9)), max_size=30))
def test_sums_are_those_of_a_dict(rows: list[tuple[int, int, int, int]]) -> None:
    expected = defaultdict[tuple[int, ...], int](int)
    for *key, value in rows:
        expected[tuple(key)] += value
    columns = [np.array([row[i] for row in rows], np.int64) for i in range(4)]
    keys, (sums,) = sums_by(columns[:3], columns[3:])
    assert dict(zip(zip(*(key.tolist() for key in keys), strict=True), sums.tolist(), strict=True)) == expected
    assert list(zip(*(key.tolist() for key in keys), strict=True)) == sorted(expected)


@given(st.lists(st.text(max_size=9), max_size=20), st.integers(0, 3))
def test_a_text_has_the_same_hash_in_any_array(texts: list[str], start: int) -> None:
    whole = hashes(pa.array(texts, pa.string()))
    alone = [hashes(pa.array([text], pa.string())).item() for text in texts]
    assert whole.tolist() == alone
    assert hashes(pa.array(texts, pa.string())[start:]).tolist() == alone[start:]
    assert all(0 <= number < 2**32 for number in alone)


def test_parts_are_even_and_different_texts_have_different_hashes() -> None:
    names = pa.array([f"image-{i:07d}" for i in range(20_000)] + ["", "\0", "\0\0", "a", "aa"])
    assert len(set(hashes(names).tolist())) > len(names) - 3
    for parts in (2, 7, 64):
        sizes = np.bincount(part_of_texts(names, parts), minlength=parts)
        assert sizes.min() > 0.7 * len(names) / parts


def test_each_row_is_found_in_its_part_in_the_order_it_was_written(tmp_path: Path) -> None:
    schema = pa.schema([("word", pa.string()), ("number", pa.int64())])
    tables = [pa.table({"word": [f"w{i % 5}" for i in range(n)], "number": list(range(n))}, schema) for n in (17, 0, 4)]
    paths = [tmp_path / f"{i}.arrow" for i in range(3)]
    for path, table in zip(paths, tables, strict=True):
        write_spill(path, table, table["number"].to_numpy() % 3, 3)
    for part in range(3):
        expected = [row for table in tables for row in table.to_pylist() if row["number"] % 3 == part]
        assert read_part(paths, part, schema).to_pylist() == expected
    assert sorted(tmp_path.iterdir()) == paths
