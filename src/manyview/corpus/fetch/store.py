"""Fetch store: what came of every URL, the images in append-only segment files, the rest in SQLite.

    store/
    ├── index.sqlite            url -> segment, offset, length, sha256 | reason
    ├── lock.sqlite             held while a fetch writes
    └── segment-000000.bin …    images end to end, as they were sent

A row is written after the bytes it points to, so that a reader never meets half an image.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from manyview.corpus.fetch.address import filed
from manyview.errors import DataError, UsageError

__all__ = ["Failed", "FetchStore", "Fetched", "Which"]

Which = Literal["temporary", "permanent", "all"]

INDEX = "index.sqlite"
CONDITIONS: dict[Which, str] = {
    "temporary": "temporary = 1",
    "permanent": "temporary = 0",
    "all": "temporary IS NOT NULL",
}
_PAGE = 1000


@dataclass(frozen=True)
class Fetched:
    """Where an image stands: `length` bytes at `offset` of the file `path`."""

    url: str
    path: Path
    offset: int
    length: int
    sha256: str
    media_type: str

    def read(self) -> bytes:
        """The encoded image."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


@dataclass(frozen=True)
class Failed:
    """Why there is no image; `temporary` when asking again may help."""

    url: str
    reason: str
    temporary: bool


class FetchStore:
    """Reads what `fetch` has written; safe to pickle, to fork and to use while a fetch is running."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        self._connection: sqlite3.Connection | None = None
        self._pid = 0

    def __reduce__(self) -> tuple[type[FetchStore], tuple[Path]]:
        return FetchStore, (self.folder,)

    def find(self, url: str) -> Fetched | Failed | None:
        """What came of a URL, however it is spelled; None when it was not tried yet."""
        key, _ = filed(url)
        row = (
            self._open()
            .execute(
                "SELECT segment, offset, length, sha256, media_type, reason, temporary FROM answers WHERE url = ?",
                (key,),
            )
            .fetchone()
        )
        if row is None:
            return None
        segment, offset, length, digest, media_type, reason, temporary = row
        if reason is not None:
            return Failed(key, reason, bool(temporary))
        return Fetched(key, segment_path(self.folder, segment), offset, length, digest.hex(), media_type)

    def failures(self, which: Which = "all") -> Iterator[Failed]:
        """The failures, in order of their URLs; what a fetch changes meanwhile may or may not be seen."""
        sql = (
            "SELECT url, reason, temporary FROM answers "
            f"WHERE {CONDITIONS[which]} AND url > ? ORDER BY url LIMIT {_PAGE}"
        )
        last = ""
        while page := self._open().execute(sql, (last,)).fetchall():
            for url, reason, temporary in page:
                yield Failed(url, reason, bool(temporary))
            last = page[-1][0]

    def counts(self) -> dict[str, int]:
        """How many URLs were "fetched" and how many failed for each reason, the most frequent first."""
        rows = self._open().execute(
            "SELECT coalesce(reason, 'fetched') AS why, count(*) AS n FROM answers GROUP BY why ORDER BY n DESC, why"
        )
        return dict(rows)

    def close(self) -> None:
        """Let go of the index; the next question opens it again."""
        if self._connection is not None and self._pid == os.getpid():
            self._connection.close()
        self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            index = self.folder / INDEX
            if not index.is_file():
                raise UsageError(f"{self.folder} holds no fetched images: allowed: the folder that a fetch wrote to")
            self._connection = connect(index, read_only=True)
            self._pid = os.getpid()
        return self._connection


def segment_path(folder: Path, segment: int) -> Path:
    """The file of a segment."""
    return folder / f"segment-{segment:06d}.bin"


def connect(index: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection in autocommit mode. Raises DataError for a file that is no index of a store."""
    mode = "ro" if read_only else "rwc"
    uri = f"{index.absolute().as_uri()}?mode={mode}"
    try:
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, timeout=30, check_same_thread=False)
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.DatabaseError as error:
        raise DataError(f"{index} cannot be opened: {error}") from None
    return connection
