"""Output: results on standard output or in a file, everything else on stderr."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from manyview.errors import ManyviewError

__all__ = ["print_counts", "print_table", "write", "writing"]


def print_counts(counts: dict[str, Any], out: Path, as_json: bool) -> None:
    """JSON on standard output; or what was counted on stderr and the file that was written."""
    if as_json:
        print(json.dumps(counts, ensure_ascii=False, indent=2))
        return
    for name, value in counts.items():
        several = value.items() if isinstance(value, dict) else [("", value)]
        for reason, count in several:
            label = f"{name.replace('_', ' ')}{f': {reason}' if reason else ''}"
            print(f"{label}  {count:,}" if isinstance(count, int) else f"{label}  {count:.3g}", file=sys.stderr)
    print(out)


def print_table(table: Any) -> None:
    from rich.console import Console

    Console().print(table)


def write(file: Path, text: str) -> None:
    with writing(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


@contextmanager
def writing(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ManyviewError(f"cannot write {file}: {error.strerror or error}") from error
