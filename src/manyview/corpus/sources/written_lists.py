"""Written lists: texts that a program wrote into one cell, and the separators of those that a person wrote."""

from __future__ import annotations

import ast
import csv
import json
import re
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["MAX_LIST_CHARS", "separator_of", "written_list"]

MAX_LIST_CHARS = 1 << 20
CLOSING = {"[": "]", "(": ")", "{": "}"}
STRING = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\"""", re.DOTALL)
NUMPY = re.compile(rf"\[\s*(?:{STRING.pattern})(?:\s+(?:{STRING.pattern}))+\s*\]", re.DOTALL)
SEPARATORS = (",", ";", "|", "，", "；", "、", "｜")
UNREADABLE = (ValueError, SyntaxError, RecursionError, MemoryError, csv.Error)


def written_list(text: str) -> list[str] | None:
    """The texts and numbers of a list as JSON, Python, numpy or PostgreSQL write it, in order; None for other texts.

    Empty for an object, which holds no list of texts.
    """
    if CLOSING.get(text[:1]) != text[-1:] or len(text) > MAX_LIST_CHARS:
        return None
    for read in READERS:
        try:
            elements = read(text)
        except UNREADABLE:
            continue
        if elements is not None:
            return [str(one) for one in elements if isinstance(one, str | int | float) and not isinstance(one, bool)]
    return None


def separator_of(cells: Sequence[str], default: str) -> str:
    """The separator that stands in most of the cells, the default where none does."""
    counts = {mark: sum(mark in cell for cell in cells) for mark in SEPARATORS}
    most = max(SEPARATORS, key=lambda mark: counts[mark])
    return most if counts[most] else default


def _json(text: str) -> list[Any] | None:
    found = json.loads(text)
    return found if isinstance(found, list) else []


def _numpy(text: str) -> list[Any] | None:
    """Strings with white space between them, which Python would join."""
    return [ast.literal_eval(one) for one in STRING.findall(text)] if NUMPY.fullmatch(text) else None


def _python(text: str) -> list[Any] | None:
    body = ast.parse(text, mode="eval").body
    if isinstance(body, ast.Dict):
        return []
    if not isinstance(body, ast.List | ast.Tuple | ast.Set):
        return None
    return [ast.literal_eval(element) for element in body.elts]


def _postgres(text: str) -> list[Any] | None:
    """An array between braces: texts with commas between them, some in quotes."""
    if not text.startswith("{"):
        return None
    rows = list(csv.reader([text[1:-1]], escapechar="\\", doublequote=False, strict=True))
    return [cell.strip() for row in rows for cell in row]


READERS: tuple[Callable[[str], list[Any] | None], ...] = (_json, _numpy, _python, _postgres)
