"""Landing: files that are there whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from manyview.corpus.location import Location

from manyview.terminal import encodable

__all__ = ["landing", "read_json", "remove", "write_json"]


@contextmanager
def landing(file: Location) -> Iterator[Any]:
    """A binary handle whose content becomes `file` when the block ends well.

    Two writers of one file do not meet. A local file survives a power failure; a remote one appears when its upload
    is complete, as object stores have it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if not isinstance(file, Path):
        with file.open("wb") as handle:
            yield handle
        return
    partial = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}.partial")
    try:
        with partial.open("wb") as handle:
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        partial.replace(file)
    finally:
        partial.unlink(missing_ok=True)


def write_json(file: Location, content: Any) -> None:
    """What JSON can hold, with sorted keys."""
    with landing(file) as handle:
        handle.write((encodable(json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True)) + "\n").encode())


def read_json(file: Location) -> Any:
    """The content, or None where there is no such file."""
    return json.loads(file.read_bytes()) if file.is_file() else None


def remove(place: Location) -> None:
    """A file or a folder with all that is in it, if it is there."""
    if not isinstance(place, Path):
        if place.exists():
            place.fs.rm(place.path, recursive=True)
    elif place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
