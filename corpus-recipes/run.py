"""Run: the command line that all recipes share."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from manyview.errors import ManyviewError


def run(description: str | None, build: Callable[[Path, Path, int], None], side: int) -> int:
    """Read the command line, build, report a failure in one sentence; returns the exit code."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="empty folder for the corpus")
    parser.add_argument("--cache", type=Path, default=Path(".corpus-cache"), help="where packages are kept")
    parser.add_argument("--side", type=int, default=side, help="width and height of the images in pixels")
    arguments = parser.parse_args()
    try:
        build(arguments.out, arguments.cache.resolve(), arguments.side)
    except ManyviewError as error:
        print(f"error: {error}", file=sys.stderr)
        return int(error.exit_code)
    return 0
