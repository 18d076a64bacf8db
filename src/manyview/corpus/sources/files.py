"""Files: what a path, a glob, braces, a folder or a list of these name, here or under scheme://."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import lzma
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from manyview.corpus.location import locate
from manyview.errors import UsageError

if TYPE_CHECKING:
    from upath import UPath

__all__ = [
    "COMPRESSIONS",
    "File",
    "OneFile",
    "compression_of",
    "expand_braces",
    "find_files",
    "is_remote",
    "is_utf8",
    "list_folder",
    "open_stream",
    "suffix_of",
]

COMPRESSIONS = (".gz", ".zst", ".bz2", ".xz")
MAGIC = re.compile(r"[*?\[]")
BRACES = re.compile(r"\{([^{}]*)\}")
RANGE = re.compile(r"(\d+)\.\.(\d+)")
CHANGES = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "mtime", "created", "oid")


@dataclass(frozen=True)
class File:
    """A file that was found. `name` is its path below the folder that was named, or that all those named share.

    `version` changes with the content: size and time of change here, size and etag elsewhere.
    """

    path: str
    name: str
    size: int
    version: str


class OneFile:
    """A part that is one file: called as the file is, changed when that is."""

    file: File

    @property
    def name(self) -> str:
        """The file's path below that of all files of the source."""
        return self.file.name

    @property
    def version(self) -> str:
        """Of the file."""
        return self.file.version


def find_files(paths: str | Sequence[str], suffixes: Sequence[str], *, unreadable: bool = False) -> list[File]:
    """The files named, each once, in the order of their paths; of a folder those with one of the suffixes.

    Suffixes are compared without regard to case and to a compression behind them. Local paths come out
    absolute. With `unreadable` there are among them links that lead nowhere, pipes, and names that are not UTF-8,
    for a source that counts what it cannot read. Raises UsageError for a path or pattern that names no file.
    """
    found: dict[str, tuple[int, str]] = {}
    roots = set[str]()
    for pattern in [paths] if isinstance(paths, str) else paths:
        here: dict[str, tuple[int, str]] = {}
        for one in _written_out(pattern):
            root, matching = _matching(one, suffixes, unreadable)
            roots |= {root} if matching else set()
            here |= matching
        if not here:
            raise UsageError(f"no file at {pattern}: give a file, a folder with {', '.join(suffixes)} files or a glob")
        found |= here
    if not unreadable:
        _check_names(found)
    start = len(_shared_folder(roots))
    return [File(path, path[start:], *found[path]) for path in sorted(found)]


def list_files(path: str, most: int) -> list[str]:
    """The first `most` paths of the files of any kind that a path, a glob or a folder names."""
    try:
        return sorted(file for one in _written_out(path) for file in _matching(one, (), False)[1])[:most]
    except UsageError:
        return []


def list_folder(folder: str, suffixes: Sequence[str]) -> list[File]:
    """The files that lie in a folder itself and have one of the suffixes, by name."""
    if is_remote(folder):
        location: UPath = locate(folder)  # type: ignore[assignment]
        files = location.fs
        inside = {files.unstrip_protocol(info["name"]): info for info in files.ls(location.path, detail=True)}
        found = {path: _remote_file(info) for path, info in inside.items() if info["type"] == "file"}
    else:
        found = {entry.path: _local_file(entry) for entry in os.scandir(folder) if _is_file(entry)}
    wanted = sorted(path for path in found if suffix_of(path) in suffixes)
    return [File(path, posixpath.basename(path), *found[path]) for path in wanted]


def expand_braces(pattern: str) -> list[str]:
    """`a{0..2}b`, `a{000..120}b` and `a{x,y}b` written out; other braces stay as they are."""
    for group in BRACES.finditer(pattern):
        choices = _choices(group[1])
        if choices:
            before, after = pattern[: group.start()], pattern[group.end() :]
            return [whole for choice in choices for whole in expand_braces(before + choice + after)]
    return [pattern]


def is_utf8(path: str) -> bool:
    """Whether the bytes of a file's name are UTF-8, so that it can be written down."""
    return path.isascii() or not any("\ud800" <= char <= "\udfff" for char in path)


def is_remote(path: str) -> bool:
    """Whether the path names its file system."""
    return "://" in path


def suffix_of(path: str) -> str:
    """The last suffix in lower case, without that of a compression: ".csv" of "A.CSV.gz"."""
    name = posixpath.basename(path).lower()
    for compression in COMPRESSIONS:
        name = name.removesuffix(compression)
    return posixpath.splitext(name)[1]


def compression_of(path: str) -> str:
    """The suffix of the compression, or nothing; .gz for .tgz."""
    if path.lower().endswith(".tgz"):
        return ".gz"
    return next((suffix for suffix in COMPRESSIONS if path.lower().endswith(suffix)), "")


@contextmanager
def open_stream(path: str) -> Iterator[IO[bytes]]:
    """The content of a file as a stream, decompressed when its name says so."""
    with locate(path).open("rb") as raw:
        yield _decompressed(raw, compression_of(path))


def _decompressed(raw: Any, compression: str) -> Any:
    if compression == ".zst":
        return pa.CompressedInputStream(pa.PythonFile(raw, mode="r"), "zstd")
    openers: dict[str, Any] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    return openers[compression](raw) if compression else raw


def _choices(inside: str) -> list[str]:
    if bounds := RANGE.fullmatch(inside):
        first, last = int(bounds[1]), int(bounds[2])
        width = len(bounds[1]) if bounds[1].startswith("0") else 0
        return [str(number).zfill(width) for number in range(first, last + 1)]
    return inside.split(",") if "," in inside else []


def _written_out(pattern: str) -> list[str]:
    """What a pattern with braces stands for; a file or folder that is called so stands for itself."""
    called_so = not is_remote(pattern) and Path(pattern).exists()
    return [pattern] if called_so else expand_braces(pattern)


def _check_names(paths: Iterable[str]) -> None:
    if wrong := next((path for path in paths if not is_utf8(path)), None):
        raise UsageError(f"the name of {wrong!r} is not UTF-8: rename the file")


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # a link to itself
        return False


Found = dict[str, tuple[int, str]]


def _matching(path: str, suffixes: Sequence[str], unreadable: bool) -> tuple[str, Found]:
    """The folder that a pattern speaks of, and the files it names with size and version."""
    if is_remote(path):
        return _matching_remote(path, suffixes)
    root, files = _local_matches(Path(path).absolute(), suffixes)
    files = [file for file in files if file.is_file() or (unreadable and not file.is_dir())]
    return root.as_posix(), {file.as_posix(): _local_file(file) for file in files}


def _local_file(file: Path | os.DirEntry[str]) -> tuple[int, str]:
    try:
        status = file.stat()
    except OSError:  # a link that leads nowhere
        return 0, "none"
    return status.st_size, f"{status.st_size}-{status.st_mtime_ns}"


def _local_matches(path: Path, suffixes: Sequence[str]) -> tuple[Path, list[Path]]:
    if path.is_file():
        return path.parent, [path]
    if path.is_dir():
        found = (Path(folder, name) for folder, _, names in os.walk(path) for name in names)
        return path, [file for file in found if _wanted(file.relative_to(path).as_posix(), suffixes)]
    root = Path(_before_magic(path.as_posix()))
    if root == path:
        return path, []
    return root, list(root.glob(str(path.relative_to(root))))


def _before_magic(path: str) -> str:
    """The folders of a pattern up to the first with a wildcard."""
    return "/".join(takewhile(lambda name: not MAGIC.search(name), path.split("/"))) or "/"


def _wanted(name: str, suffixes: Sequence[str]) -> bool:
    """Any suffix if there is none. Files that engines leave beside their data (_SUCCESS, .crc) do not count."""
    hidden = any(part.startswith((".", "_")) for part in name.split("/"))
    return not hidden and (not suffixes or suffix_of(name) in suffixes)


def _matching_remote(path: str, suffixes: Sequence[str]) -> tuple[str, Found]:
    location: UPath = locate(path)  # type: ignore[assignment]
    files, inside = location.fs, location.path
    try:
        root, infos = _remote_matches(files, inside, suffixes)
    except (OSError, ValueError, ImportError) as error:
        raise UsageError(f"{path} cannot be listed: {' '.join(str(error).split())}") from None
    found = {files.unstrip_protocol(name): info for name, info in infos.items() if info["type"] == "file"}
    return files.unstrip_protocol(root), {name: _remote_file(info) for name, info in found.items()}


def _remote_matches(files: Any, inside: str, suffixes: Sequence[str]) -> tuple[str, dict[str, Any]]:
    inside = inside.rstrip("/")
    if files.isfile(inside):
        return posixpath.dirname(inside), {inside: files.info(inside)}
    if files.isdir(inside):
        start = len(inside) + 1
        found = files.find(inside, detail=True)
        return inside, {name: info for name, info in found.items() if _wanted(name[start:], suffixes)}
    return _before_magic(inside), dict(files.glob(inside, detail=True)) if MAGIC.search(inside) else {}


def _remote_file(info: Mapping[str, Any]) -> tuple[int, str]:
    tag = next((str(info[key]) for key in CHANGES if info.get(key)), "")
    size = int(info["size"] or 0)
    return size, f"{size}-{hashlib.blake2b(tag.encode(), digest_size=8).hexdigest()}"


def _shared_folder(roots: set[str]) -> str:
    folders = [root.split("/") for root in sorted(roots)]
    alike = takewhile(lambda names: len(set(names)) == 1, zip(*folders, strict=False))
    return "".join(f"{names[0]}/" for names in alike)
