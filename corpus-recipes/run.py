"""Run: the command line that all recipes share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from manyview.errors import ManyviewError


def run(description: str | None, build: Callable[[Path, Path, int], None], side: int) -> int:
    """Read the command line, build, report a failure in one sentence; returns the exit code."""
    options = parser(description)
    options.add_argument("--side", type=int, default=side, help="width and height of the images in pixels")
    arguments = options.parse_args()
    return finish(lambda: build(arguments.out, arguments.cache.resolve(), arguments.side))


def parser(description: str | None) -> argparse.ArgumentParser:
    """The options of every recipe."""
    options = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, required=True, help="empty folder for the corpus")
    options.add_argument("--cache", type=Path, default=Path(".corpus-cache"), help="where packages are kept")
    return options


def finish(build: Callable[[], None]) -> int:
    """Build; a failure is one sentence on stderr. Returns the exit code."""
    try:
        build()
    except ManyviewError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0
