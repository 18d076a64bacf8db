"""Damage: files whose content is broken, told from files that could not be reached."""

from __future__ import annotations

import lzma
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import ParamSpec, TypeVar

import pyarrow as pa

from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.errors import ManyviewError

__all__ = ["counted_batch", "read_or_none", "until_damage"]

RAISED = (pa.ArrowException, OSError, EOFError, ValueError, zlib.error, lzma.LZMAError)
UNREACHABLE = (ConnectionError, TimeoutError, FileNotFoundError, PermissionError)
Read = TypeVar("Read")
Given = ParamSpec("Given")


def until_damage(items: Iterator[Read], path: str, skipped: Counter[str]) -> Iterator[Read]:
    """What is read from a file up to its damage, if any, which is counted.

    Raises ManyviewError when the file cannot be reached: that it says nothing more is then not known.
    """
    try:
        yield from items
    except RAISED as error:
        _raise_unless_damage(error, path)
        skipped["file: damaged"] += 1


def read_or_none(path: str, read: Callable[Given, Read], *given: Given.args, **named: Given.kwargs) -> Read | None:
    """What a function reads from a file, None if that is damaged. Raises ManyviewError as `until_damage` does."""
    try:
        return read(*given, **named)
    except RAISED as error:
        _raise_unless_damage(error, path)
        return None


def counted_batch(skipped: Counter[str]) -> Batch:
    """No rows, only what was left out."""
    return Batch(IMAGES.empty_table(), VIEWS.empty_table(), +skipped)


def _raise_unless_damage(error: Exception, path: str) -> None:
    """Arrow and bz2 speak of damage by an OSError without a number."""
    if isinstance(error, OSError) and (error.errno is not None or isinstance(error, UNREACHABLE)):
        raise ManyviewError(f"{path} cannot be read: {' '.join(str(error).split())}") from error
