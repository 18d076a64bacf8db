"""Output: results on standard output or in a file, everything else on stderr."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manyview.errors import ManyviewError
from manyview.terminal import encodable, json_text, literal_console, printable

__all__ = ["print_counts", "print_json", "print_message", "print_table", "write", "writing"]


def print_counts(counts: dict[str, Any], out: Path, as_json: bool) -> None:
    """JSON on standard output; or what was counted on stderr and the file that was written."""
    if as_json:
        print_json(counts)
        return
    for name, value in counts.items():
        several = value.items() if isinstance(value, dict) else [("", value)]
        for reason, count in several:
            label = f"{name.replace('_', ' ')}{f': {reason}' if reason else ''}"
            print_message(f"{label}  {count:,}" if isinstance(count, int) else f"{label}  {count:.3g}")
    print(out)


def print_message(text: str) -> None:
    """A sentence on stderr."""
    print(printable(text), file=sys.stderr)


def print_json(value: Any) -> None:
    """JSON on standard output."""
    print(json_text(value))


def print_table(table: Any) -> None:
    """A table of rich's on standard output."""
    literal_console().print(table)


def write(file: Path, text: str) -> None:
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(encodable(text), encoding="utf-8")


@contextmanager
def writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ManyviewError(f"cannot write {file}: {error.strerror or error}") from error
