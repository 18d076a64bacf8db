"""Location: a path on this machine or, written scheme://…, on any file system that fsspec knows."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq

from manyview.errors import UsageError

if TYPE_CHECKING:
    from upath import UPath

    Location = Path | UPath

__all__ = ["file_sizes", "locate", "open_parquet"]


def locate(path: str | Path | UPath) -> Location:
    """The location a path names. Raises UsageError for a scheme that no installed package serves."""
    if not isinstance(path, str) or "://" not in path:
        return Path(path) if isinstance(path, str) else path
    from upath import UPath  # noqa: PLC0415  0.2 s that local paths do not need

    try:
        return UPath(path)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{path} cannot be opened: {' '.join(str(error).split())}") from None


def open_parquet(file: Location, **options: Any) -> pq.ParquetFile:
    """The Parquet file at a location."""
    if isinstance(file, Path):
        return pq.ParquetFile(file, **options)
    return pq.ParquetFile(file.path, filesystem=file.fs, **options)


def file_sizes(folder: Location) -> dict[str, int]:
    """Size in bytes of each file in a folder, by name, from one listing; empty where there is no such folder."""
    try:
        if isinstance(folder, Path):
            with os.scandir(folder) as entries:
                return {entry.name: entry.stat().st_size for entry in entries if entry.is_file()}
        folder.fs.invalidate_cache(folder.path)
        found = folder.fs.ls(folder.path, detail=True)
    except FileNotFoundError:
        return {}
    return {file["name"].rpartition("/")[2]: file["size"] for file in found if file["type"] == "file"}
