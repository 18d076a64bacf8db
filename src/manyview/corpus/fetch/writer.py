"""Store writer: the one process that adds answers to a fetch store, and may be killed while it does."""

from __future__ import annotations

import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO

from manyview.corpus.fetch.reasons import is_temporary
from manyview.corpus.fetch.store import CONDITIONS, INDEX, Which, connect, segment_path
from manyview.errors import DataError, ManyviewError, UsageError

__all__ = ["StoreWriter"]

SEGMENT_BYTES = 1 << 30
SYNC_BYTES = 64 << 20  # at most about so much is checked after a crash
_COPY_BYTES = 1 << 20
_TABLES = """
CREATE TABLE IF NOT EXISTS answers (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    url TEXT NOT NULL UNIQUE,
    run INTEGER NOT NULL,
    segment INTEGER, offset INTEGER, length INTEGER, sha256 BLOB, media_type TEXT,
    reason TEXT, temporary INTEGER
);
CREATE INDEX IF NOT EXISTS failures ON answers (temporary, url) WHERE temporary IS NOT NULL;
CREATE TABLE IF NOT EXISTS robots (origin TEXT PRIMARY KEY, asked_s REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS state (one INTEGER PRIMARY KEY CHECK (one = 1), run INTEGER, number INTEGER,
                                  segment INTEGER, length INTEGER);
INSERT OR IGNORE INTO state VALUES (1, 0, 0, 0, 0);
"""
_REPLACE = "INSERT OR REPLACE INTO answers (url, run, segment, offset, length, sha256, media_type, reason, temporary) "


class StoreWriter:
    """Adds to a store, as a context; raises UsageError when another fetch is writing to it.

    Answers are in the index as soon as they are added. What reached the disk at the last sync is noted, and
    rows after it are compared with their bytes at the next start: after a power cut an image may be missing,
    never half there.
    """

    def __init__(self, folder: Path, *, segment_bytes: int = SEGMENT_BYTES, sync_bytes: int = SYNC_BYTES) -> None:
        self.folder, self._segment_bytes, self._sync_bytes = folder, segment_bytes, sync_bytes
        self._unsynced = self._segment = self._length = 0
        self._file: IO[bytes]

    def __enter__(self) -> StoreWriter:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{self.folder} cannot hold fetched images: {error.strerror}") from None
        with ExitStack() as stack:
            stack.enter_context(closing(_lock(self.folder)))
            self._index = stack.enter_context(closing(connect(self.folder / INDEX, read_only=False)))
            self._index.execute("PRAGMA journal_mode = WAL")
            self._index.execute("PRAGMA synchronous = NORMAL")
            self._index.executescript(_TABLES)
            self._recover()
            stack.callback(self._close_file)
            self._index.execute("UPDATE state SET run = run + 1")
            (self.run,) = self._index.execute("SELECT run FROM state").fetchone()
            self._open = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._open:
            with suppress(ManyviewError) if error else nullcontext():  # the first error is the one to tell
                self._sync()
            with suppress(sqlite3.OperationalError):  # a reader is at work: the next fetch tidies up
                self._index.execute("PRAGMA journal_mode = DELETE")  # readable from read-only and network disks

    def last(self, key: str) -> tuple[int, bool | None] | None:
        """Run of the last answer for a key, and whether it was a temporary failure (None: it was an image)."""
        row = self._index.execute("SELECT run, temporary FROM answers WHERE url = ?", (key,)).fetchone()
        return row and (row[0], None if row[1] is None else bool(row[1]))

    def add(self, key: str, image: IO[bytes], media_type: str) -> int:
        """File an image, and return its length in bytes."""
        if self._length >= self._segment_bytes:
            self._next_segment()
        offset = self._length
        with self._writing():
            length, digest = self._append(image)
        self._file_answer(key, self._segment, offset, length, digest, media_type, None, None)
        self._unsynced += length
        if self._unsynced >= self._sync_bytes:
            self._sync()
        return length

    def fail(self, key: str, reason: str) -> None:
        """File a failure."""
        self._file_answer(key, None, None, None, None, None, reason, int(is_temporary(reason)))

    def forget_failures_of_this_run(self) -> None:
        """As if the URLs that failed since the start had not been tried."""
        self._index.execute(f"DELETE FROM answers WHERE run = ? AND {CONDITIONS['all']}", (self.run,))

    def failed_before(self, which: Which, after: str, most: int) -> list[str]:
        """Up to `most` keys beyond `after` that failed in an earlier run and are URLs, in order."""
        sql = f"SELECT url FROM answers WHERE {CONDITIONS[which]} AND reason NOT LIKE 'url:%'"
        rows = self._index.execute(sql + " AND url > ? AND run < ? ORDER BY url LIMIT ?", (after, self.run, most))
        return [url for (url,) in rows]

    def robots(self, origin: str) -> tuple[float, bytes] | None:
        """When an origin was last asked for its robots.txt, and the file."""
        row = self._index.execute("SELECT asked_s, body FROM robots WHERE origin = ?", (origin,)).fetchone()
        return row and (row[0], zlib.decompress(row[1]))

    def keep_robots(self, origin: str, body: bytes, asked_s: float) -> None:
        """Remember a robots.txt."""
        self._index.execute("INSERT OR REPLACE INTO robots VALUES (?, ?, ?)", (origin, asked_s, zlib.compress(body)))

    def _file_answer(self, *answer: object) -> None:
        key, *rest = answer
        try:
            self._index.execute(_REPLACE + "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", (key, self.run, *rest))
        except sqlite3.OperationalError as error:
            raise ManyviewError(f"cannot write {self.folder / INDEX}: {error}") from None

    def _append(self, image: IO[bytes]) -> tuple[int, bytes]:
        image.seek(0)
        digest, length = sha256(), 0
        while chunk := image.read(_COPY_BYTES):
            digest.update(chunk)
            self._file.write(chunk)
            length += len(chunk)
        self._file.flush()
        self._length += length
        return length, digest.digest()

    def _next_segment(self) -> None:
        self._sync()
        self._file.close()
        self._segment, self._length = self._segment + 1, 0
        with self._writing():
            self._file = segment_path(self.folder, self._segment).open("wb")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ManyviewError(f"cannot write {segment_path(self.folder, self._segment)}: {error.strerror}") from None

    def _close_file(self) -> None:
        with suppress(OSError):  # what counts was synced
            self._file.close()

    def _sync(self) -> None:
        with self._writing():
            self._file.flush()
            os.fsync(self._file.fileno())
        self._index.execute(
            "UPDATE state SET number = (SELECT coalesce(max(number), 0) FROM answers), segment = ?, length = ?",
            (self._segment, self._length),
        )
        self._unsynced = 0

    def _recover(self) -> None:
        """Drop rows whose bytes did not reach the disk, and bytes that no row points to."""
        number, self._segment, self._length = self._index.execute(
            "SELECT number, segment, length FROM state"
        ).fetchone()
        tail = "SELECT number, segment, offset, length, sha256 FROM answers WHERE number > ? AND segment IS NOT NULL"
        for row in self._index.execute(tail + " ORDER BY number", (number,)).fetchall():
            if self._stands(*row[1:]):
                end = (row[1], row[2] + row[3])
                self._segment, self._length = max((self._segment, self._length), end)
            else:
                self._index.execute("DELETE FROM answers WHERE number = ?", row[:1])
        self._file = self._reopened(segment_path(self.folder, self._segment))

    def _stands(self, segment: int, offset: int, length: int, digest: bytes) -> bool:
        try:
            with segment_path(self.folder, segment).open("rb") as file:
                file.seek(offset)
                return sha256(file.read(length)).digest() == digest
        except FileNotFoundError:
            return False

    def _reopened(self, path: Path) -> IO[bytes]:
        file = path.open("ab")
        if file.tell() < self._length:
            file.close()
            raise DataError(f"{path} has lost bytes: allowed: at least the {self._length} that its index points to")
        file.truncate(self._length)
        return file


def _lock(folder: Path) -> sqlite3.Connection:
    lock = sqlite3.connect(folder / "lock.sqlite", isolation_level=None, timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError:
        lock.close()
        raise UsageError(f"{folder} is being written by another fetch: wait for it or take another folder") from None
    return lock
