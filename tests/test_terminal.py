"""Laws of what is printed: data are never markup, a terminal obeys none of them, any string can be printed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from manyview.terminal import encodable, json_text, literal_console, printable

SOURCE = Path(__file__).parents[1] / "src" / "manyview"
MARKED = ["[red]shoe[/red]", "mug [/]", "[a-z]", "[link=http://x]", ":smile:", "[/2 m] 12 [bold]", "\\[x]"]
CONTROLS = ["\x1b[31mred", "\x9b31m", "a\rb", "bell\x07", "\x1b]0;title\x07", "\u202eflow", "\x00"]


def drawn(cells, capsys):
    table = Table("title", box=None)
    for cell in cells:
        table.add_row(cell)
    literal_console().print(table)
    return capsys.readouterr().out


def test_brackets_and_colons_are_printed_as_they_are(capsys):
    lines = [line.rstrip().removeprefix(" ") for line in drawn(MARKED, capsys).splitlines()[1:]]
    assert [line.strip() for line in lines] == MARKED


def test_what_a_program_reads_is_neither_folded_nor_cut(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    long = "word " * 100 + "end"
    assert long in drawn([long], capsys)


def test_no_control_character_reaches_the_terminal(capsys):
    out = drawn(CONTROLS, capsys)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", out)
    assert "\\x1b[31mred" in out


@given(st.text())
def test_printable_text_has_no_controls_and_keeps_all_else(text):
    shown = printable(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    if not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text):
        assert shown == text


@given(st.dictionaries(st.text(), st.text()))
def test_json_holds_any_string_in_utf_8(value):
    assert json.loads(json_text(value).encode("utf-8")) == value


@given(st.text())
def test_encodable_text_is_the_text_where_it_can_be_encoded(text):
    shown = encodable(text)
    shown.encode("utf-8")
    assert shown == text or any("\ud800" <= character <= "\udfff" for character in text)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_paths_are_printed_as_their_bytes_and_texts_in_any_encoding(encoding):
    code = "from manyview.terminal import print_anything; print_anything(); print('a\\udcff', '苹')"
    env = os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(SOURCE.parent)}
    out = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, check=True).stdout
    assert out == (b"a\xff \xe8\x8b\xb9\n" if encoding == "utf-8" else b"a\xff \\u82f9\n")


def test_consoles_and_pages_are_made_in_one_place_each():
    """Where no markup is read and everything is escaped."""
    for file in SOURCE.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        if file.name != "terminal.py":
            assert not re.search(r"\bConsole\((?!\w*Progress)", text), file
        assert all("markup=False" in call for call in re.findall(r"TextColumn\([^\n]*", text)), file
        if file.name != "page.py" or file.parent != SOURCE:
            assert "Environment(" not in text, file
        assert not re.search(r"Markup\(f", text), file
    for template in SOURCE.rglob("*.html"):
        text = template.read_text(encoding="utf-8")
        assert not re.search(r"\|\s*safe|autoescape", text), template


def test_verbs_print_messages_through_one_function():
    for file in (SOURCE / "cli").glob("*.py"):
        lines = [line for line in file.read_text(encoding="utf-8").splitlines() if "file=sys.stderr" in line]
        assert all("printable(" in line or '"interrupted"' in line for line in lines), file
