"""Laws of CSV rows: what the csv module gives for good files, and of bad ones all but the bad lines."""

import csv
import io
from collections import Counter

import pytest
from hypothesis import assume, given
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


LINE = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters='"'), min_size=1, max_size=9
)
TSV = Dialect("\t", literal_quotes=True)


@given(st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(LINE, min_size=width, max_size=width), max_size=6)))
def test_a_quote_in_a_tsv_is_a_character_like_others(table: list[list[str]]) -> None:
    assume(not any(cell[0] == cell[-1] == '"' for row in table for cell in row))
    data = "".join("\t".join(row) + "\n" for row in table).encode()
    assert read(data, TSV) == (table, Counter())


@given(st.lists(st.lists(st.text('ab"\n ', max_size=6), min_size=3, max_size=3), max_size=6))
def test_a_tsv_of_a_program_that_quotes_where_needed_comes_back(table: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, "excel-tab").writerows(table)
    assert read(buffer.getvalue().encode(), TSV) == (table, Counter())


def test_a_quote_that_closes_within_a_later_word_spoils_its_line_only() -> None:
    rows, skipped = read(b'image,caption\n1.jpg,"big sale\n2.jpg,a car\n3.jpg,12" ruler\n')
    assert rows == [["image", "caption"], ["2.jpg", "a car"], ["3.jpg", '12" ruler']]
    assert skipped == Counter({"row: a quote that is never closed": 1})


def test_the_line_in_which_excel_names_the_delimiter_is_no_row() -> None:
    assert read(b"sep=;\r\na;b\r\n", Dialect(";")) == ([["a", "b"]], Counter())
    assert read(b"a;sep=;\n", Dialect(";")) == ([["a", "sep=", ""]], Counter())


def test_delimiters_within_quotes_of_a_heading_do_not_count() -> None:
    assert sniffed_delimiter('"a, or b, or c";"d"') == ";"
