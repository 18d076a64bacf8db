"""Laws of CSV rows: what the csv module gives for good files, and of bad ones all but the bad lines."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manyview.corpus.sources import delimited, lines
from manyview.corpus.sources.delimited import Dialect, delimited_rows, sniffed_delimiter

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=12)
TABLES = st.lists(st.lists(CELLS, min_size=2, max_size=4), max_size=8)


def read(data: bytes, dialect: Dialect | None = None) -> tuple[list[list[str]], Counter[str]]:
    skipped = Counter[str]()
    rows = list(delimited_rows(io.BytesIO(data), dialect or Dialect(), skipped))
    return rows, +skipped


@given(
    TABLES, st.sampled_from(",;\t|"), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_what_the_csv_module_writes_comes_back(table: list[list[str]], mark: str, end: str, encoding: str) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=mark, lineterminator=end, quoting=csv.QUOTE_ALL).writerows(table)
    assert read(buffer.getvalue().encode(encoding), Dialect(mark)) == (table, Counter())


def test_old_line_breaks_and_blank_lines() -> None:
    assert read(b"a,b\rc,d\r\r \r\n\ne,f") == ([["a", "b"], ["c", "d"], ["e", "f"]], Counter())


def test_a_quote_within_an_unquoted_cell_is_a_sign() -> None:
    assert read(b'27" monitor,x\n5" disk,y\n')[0] == [['27" monitor', "x"], ['5" disk', "y"]]


def test_without_quotes_every_line_is_a_row() -> None:
    assert read(b'"a\tb\n"c\td\n', Dialect("\t", ""))[0] == [['"a', "b"], ['"c', "d"]]


def test_a_quote_never_closed_spoils_its_line_only() -> None:
    rows, skipped = read(b'a,b\n"open,x\nc,d\ne,f\n')
    assert rows == [["a", "b"], ["c", "d"], ["e", "f"]]
    assert skipped == Counter({"row: a quote that is never closed": 1})


def test_a_quote_open_for_too_long_spoils_its_line_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_UNCLOSED", 100)
    data = b'"open,x\n' + b"c,d\n" * 60 + b'"closed again","y"\n'
    rows, skipped = read(data)
    assert rows == [["c", "d"]] * 60 + [["closed again", "y"]]
    assert skipped == Counter({"row: a quote that is never closed": 1})


def test_a_line_without_end_is_counted_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 50)
    rows, skipped = read(b"a,b\n" + b"x" * 220 + b"\nc,d\n")
    assert rows == [["a", "b"], ["c", "d"]]
    assert skipped == Counter({"row: longer than 64 MB": 1})


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16-le"])
def test_bytes_that_are_no_text_are_marked(encoding: str) -> None:
    data = "好,b\n".encode(encoding) + b"\xff\xd8" + ",c\n".encode(encoding)
    rows, _ = read(data, Dialect(encoding=encoding))
    assert rows[0] == ["好", "b"]
    assert lines.BROKEN in "".join(rows[1])


@given(st.binary(max_size=300))
def test_any_bytes_end_without_an_error(data: bytes) -> None:
    read(data)


def test_a_cell_of_ten_megabytes_is_a_cell() -> None:
    rows, skipped = read(b"a," + b"x" * (10 << 20) + b"\n")
    assert len(rows[0][1]) == 10 << 20 and not skipped


@pytest.mark.parametrize(("heading", "mark"), [("a,b;c,d", ","), ("a;b;c", ";"), ("a\tb", "\t"), ("alone", ",")])
def test_the_delimiter_is_the_sign_seen_most(heading: str, mark: str) -> None:
    assert sniffed_delimiter(heading) == mark
