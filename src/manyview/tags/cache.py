"""Cache: findings by image hash, so that no image is looked at twice by the same tagger."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from manyview.errors import DataError, ManyviewError
from manyview.tags.tagger import Detection

__all__ = ["TagCache"]

_LOCKED_TIMEOUT_S = 60
_ASKED_AT_ONCE = 500
_TABLE = """
CREATE TABLE IF NOT EXISTS findings (
    version TEXT NOT NULL, image_hash INTEGER NOT NULL, found TEXT NOT NULL, PRIMARY KEY (version, image_hash)
) WITHOUT ROWID
"""


class TagCache:
    """An SQLite file. What was put is there whatever happens to the process; several may share the file.

    Raises DataError for a file that is not such a cache, ManyviewError where it cannot be written.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        with self._reasons():
            file.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(file, timeout=_LOCKED_TIMEOUT_S)
            self._base.execute(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._base.close()

    def get(self, version: str, hashes: Sequence[int]) -> dict[int, list[Detection]]:
        """The findings of those images that this version of a tagger has looked at."""
        found: dict[int, list[Detection]] = {}
        with self._reasons():
            for start in range(0, len(hashes), _ASKED_AT_ONCE):
                asked = hashes[start : start + _ASKED_AT_ONCE]
                marks = ",".join("?" * len(asked))
                query = f"SELECT image_hash, found FROM findings WHERE version = ? AND image_hash IN ({marks})"
                found |= {of: _read(text) for of, text in self._base.execute(query, (version, *asked))}
        return found

    def put(self, version: str, findings: Mapping[int, Sequence[Detection]]) -> None:
        """Keep the findings of some images, all of them or, if the process dies, none."""
        rows = [(version, of, _written(found)) for of, found in findings.items()]
        with self._reasons(), self._base:
            self._base.executemany("INSERT OR REPLACE INTO findings VALUES (?, ?, ?)", rows)

    @contextmanager
    def _reasons(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise ManyviewError(f"the tag cache {self._file} cannot be used: {error}") from error
        except (sqlite3.DatabaseError, ValueError, TypeError) as error:
            raise DataError(f"{self._file} is damaged or no tag cache ({error}): delete it to tag afresh") from error
        except OSError as error:
            raise ManyviewError(f"cannot write the tag cache {self._file}: {error.strerror or error}") from error


def _written(found: Sequence[Detection]) -> str:
    return json.dumps([[of.label, of.score, of.area, of.box, of.attributes] for of in found], ensure_ascii=False)


def _read(text: str) -> list[Detection]:
    return [
        Detection(label, score, area, None if box is None else tuple(box), tuple(attributes))
        for label, score, area, box, attributes in json.loads(text)
    ]
