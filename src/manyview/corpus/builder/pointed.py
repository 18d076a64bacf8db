"""Pointed: bytes read from where a staged row says they stand."""

from __future__ import annotations

import os
import stat
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa

from manyview.corpus.fingerprint import identity
from manyview.corpus.location import locate
from manyview.errors import DataError

__all__ = ["PointedBytes"]

_OPEN_FILES = 64


class PointedBytes:
    """Reads ranges of files, here or under scheme://; keeps the files used last open."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, int] = OrderedDict()

    def __enter__(self) -> PointedBytes:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        while self._files:
            os.close(self._files.popitem()[1])

    def size(self, path: str) -> int:
        """Bytes of the whole file. Raises OSError."""
        if "://" not in path:
            return os.fstat(self._opened(path)).st_size
        with _as_os_errors(path):
            return int(locate(path).stat().st_size)

    def read(self, path: str, offset: int, length: int) -> bytes:
        """The range, whole. Raises OSError, and DataError when the file ends before it."""
        if "://" not in path:
            return _whole(os.pread(self._opened(path), length, offset), path, offset, length)
        with _as_os_errors(path):
            location: Any = locate(path)
            data: bytes = location.fs.cat_file(location.path, start=offset, end=offset + length)
        return _whole(data, path, offset, length)

    def read_all(self, ranges: Sequence[tuple[str, int, int]]) -> pa.BinaryArray:
        """The ranges (path, offset, length), remote ones at the same time. Raises as `read` does."""
        ends = np.cumsum([0, *(length for _, _, length in ranges)])
        data = np.empty(ends[-1], np.uint8)
        pieces = [data[start:end] for start, end in pairwise(ends.tolist())]
        remote: dict[Any, list[int]] = {}
        for place in sorted(range(len(ranges)), key=ranges.__getitem__):
            path, offset, length = ranges[place]
            if "://" in path:
                remote.setdefault(locate(path).fs, []).append(place)  # type: ignore[union-attr]
            elif os.preadv(self._opened(path), [pieces[place].data], offset) != length:
                raise _shorter(path, offset, length)
        for files, places in remote.items():
            for place, found in zip(places, _fetched(files, [ranges[place] for place in places]), strict=True):
                pieces[place][:] = np.frombuffer(_whole(found, *ranges[place]), np.uint8)
        offsets = pa.array(ends).cast(pa.int32())
        return pa.Array.from_buffers(pa.binary(), len(ranges), [None, offsets.buffers()[1], pa.py_buffer(data)])

    def stamp(self, path: str) -> int | None:
        """Differs when a local file was written to meanwhile or is another; None for remote ones."""
        if "://" in path:
            return None
        found = os.stat(path)  # noqa: PTH116  half the time of Path.stat, for each of many files
        return identity(repr((found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)).encode())

    def _opened(self, path: str) -> int:
        """The descriptor of a local file."""
        if path in self._files:
            self._files.move_to_end(path)
        else:
            self._files[path] = _open_file(path)
            if len(self._files) > _OPEN_FILES:
                os.close(self._files.popitem(last=False)[1])
        return self._files[path]


def _open_file(path: str) -> int:
    """A pipe would make the build wait for ever, a device has no end: neither is read."""
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise OSError(f"{path} is no regular file")
    return opened


@contextmanager
def _as_os_errors(path: str) -> Iterator[None]:
    """Each remote file system has errors of its own, and a path may name one that there is not."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(f"{path} cannot be read: {' '.join(str(error).split())}") from error


def _fetched(files: Any, ranges: Sequence[tuple[str, int, int]]) -> list[bytes]:
    names = [path for path, _, _ in ranges]
    with _as_os_errors(names[0]):
        ends = [at + length for _, at, length in ranges]
        found: list[bytes] = files.cat_ranges(names, [at for _, at, _ in ranges], ends)
    return found


def _whole(data: bytes, path: str, offset: int, length: int) -> bytes:
    if len(data) != length:
        raise _shorter(path, offset, length)
    return data


def _shorter(path: str, offset: int, length: int) -> DataError:
    return DataError(f"{path} ends before byte {offset + length}: did it change?")
