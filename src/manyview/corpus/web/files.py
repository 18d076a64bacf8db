"""Files: what a path, a glob or a folder names, here or under scheme://, in one order everywhere."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyview.corpus.location import locate
from manyview.errors import UsageError

if TYPE_CHECKING:
    from upath import UPath

__all__ = ["File", "find_files"]

_CHANGES = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created")


@dataclass(frozen=True, order=True)
class File:
    """A file found: where it is, its name below what was given, and what changes with its content."""

    name: str
    path: str
    size: int
    version: str


def find_files(path: str, suffixes: tuple[str, ...]) -> list[File]:
    """The files with one of the suffixes that `path` names, by name; a file given itself may have any suffix.

    Hidden files and links that lead out of the folder do not count. Raises UsageError when there is none.
    """
    found = sorted(_remote(path, suffixes) if "://" in path else _local(Path(path), suffixes))
    if not found:
        raise UsageError(f"no file at {path}: give a file, a glob or a folder with {', '.join(suffixes)} files")
    return found


def _local(path: Path, suffixes: tuple[str, ...]) -> Iterator[File]:
    if path.is_file():
        yield _local_file(path, path.parent)
    elif path.is_dir():
        root = path.resolve()
        for file in path.rglob("*"):
            wanted = _wanted(file.relative_to(path).as_posix(), suffixes) and file.is_file()
            if wanted and file.resolve().is_relative_to(root):
                yield _local_file(file, path)
    elif any(sign in str(path) for sign in "*?["):
        anchor = Path(path.anchor) if path.is_absolute() else Path()
        for file in anchor.glob(str(path.relative_to(anchor)) if path.is_absolute() else str(path)):
            if file.is_file():
                yield _local_file(file, anchor)


def _local_file(file: Path, root: Path) -> File:
    status = file.stat()
    return File(file.relative_to(root).as_posix(), str(file), status.st_size, f"{status.st_size}-{status.st_mtime_ns}")


def _remote(path: str, suffixes: tuple[str, ...]) -> Iterator[File]:
    location: UPath = locate(path)  # type: ignore[assignment]
    files, inside = location.fs, location.path
    try:
        if files.isfile(inside):
            yield _remote_file(files, inside.rpartition("/")[0], files.info(inside))
        elif files.isdir(inside):
            for name, info in files.find(inside, detail=True).items():
                if _wanted(_below(inside, name), suffixes):
                    yield _remote_file(files, inside, info)
        else:
            for info in files.glob(inside, detail=True).values():
                if info["type"] == "file":
                    yield _remote_file(files, "", info)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{path} cannot be listed: {' '.join(str(error).split())}") from None


def _remote_file(files: Any, root: str, info: dict[str, Any]) -> File:
    tag = next((str(info[key]) for key in _CHANGES if info.get(key)), "")
    size, digest = int(info["size"] or 0), hashlib.blake2b(tag.encode(), digest_size=8).hexdigest()
    return File(_below(root, info["name"]), files.unstrip_protocol(info["name"]), size, f"{size}-{digest}")


def _below(root: str, name: str) -> str:
    return name.strip("/").removeprefix(root.strip("/")).strip("/")


def _wanted(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.lower().endswith(suffixes) and not any(part.startswith(".") for part in name.split("/"))
