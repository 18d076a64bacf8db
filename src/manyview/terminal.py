"""Terminal: text of data printed as it is, never read as markup and never obeyed by a terminal."""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["encodable", "json_text", "literal_console", "print_anything", "printable"]

_LINE_ENDS = "\t\n"
_BIDI = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # they reorder what stands around them
_CONTROLS = [code for code in (*range(0x20), *range(0x7F, 0xA0)) if chr(code) not in _LINE_ENDS]
_ESCAPES = {code: f"\\x{code:02x}" for code in _CONTROLS} | {code: f"\\u{code:04x}" for code in _BIDI}
_ERRORS = "manyview.terminal"
_PIPED_WIDTH = 10_000  # for a program that reads it nothing is folded


def printable(text: str) -> str:
    """The text with control characters and marks of direction written as escapes, such as \\x1b."""
    return text.translate(_ESCAPES)


def encodable(text: str) -> str:
    """The text with surrogates, which stand for bytes that are no UTF-8, written as escapes, such as \\udcff."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def json_text(value: Any) -> str:
    """Indented JSON that every encoding of Unicode holds."""
    return encodable(json.dumps(value, ensure_ascii=False, indent=2))


def literal_console(*, stderr: bool = False) -> Console:
    """A rich console that prints strings as they are: no markup, no emoji codes, no colored numbers.

    What is read by a program instead of a person is neither folded nor cut.
    """
    from rich.console import Console  # noqa: PLC0415  --help does not need it
    from rich.text import Text  # noqa: PLC0415

    class LiteralConsole(Console):
        def render_str(self, text: str, **how: Any) -> Text:
            return super().render_str(printable(text), **how)

    console = LiteralConsole(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _PIPED_WIDTH
    return console


def print_anything() -> None:
    """Let standard output take any string, paths as the bytes they are, and standard error too, escaped."""
    codecs.register_error(_ERRORS, _bytes_or_escapes)
    for stream, errors in ((sys.stdout, _ERRORS), (sys.stderr, "backslashreplace")):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=errors)


def _bytes_or_escapes(error: UnicodeError) -> tuple[str | bytes, int]:
    try:
        return codecs.lookup_error("surrogateescape")(error)
    except UnicodeError:
        return codecs.lookup_error("backslashreplace")(error)
