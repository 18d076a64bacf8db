"""Part writer: the tables and the bytes that one part of a source leaves behind."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

__all__ = ["PartWriter"]


class PartWriter:
    """Files whose names begin with `stem`, each opened when something is written to it, and counts."""

    def __init__(self, folder: Path, stem: str) -> None:
        self.folder, self.stem = folder, stem
        self.counts, self.skipped = Counter[str](), Counter[str]()
        self._files = ExitStack()
        self._tables: dict[str, pq.ParquetWriter] = {}
        self._blob: Any = None
        self._blob_bytes = 0
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._files.close()

    def add(self, name: str, table: pa.Table) -> None:
        """Rows of the table of that name."""
        if not len(table):
            return
        if name not in self._tables:
            handle = self._files.enter_context(self._path(f"{name}.parquet").open("wb"))
            self._tables[name] = self._files.enter_context(pq.ParquetWriter(handle, table.schema, compression="zstd"))
        self._tables[name].write_table(table)

    def keep(self, data: bytes) -> tuple[str, int]:
        """Where the bytes stand now: file and offset."""
        if self._blob is None:
            self._blob = self._files.enter_context(self._path("bin").open("wb"))
        offset = self._blob_bytes
        self._blob.write(data)
        self._blob_bytes += len(data)
        return str(self._path("bin")), offset

    def written(self, name: str) -> str | None:
        """The file of a table, or None when nothing was written to it."""
        return str(self._path(f"{name}.parquet")) if name in self._tables else None

    def _path(self, suffix: str) -> Path:
        return self.folder / f"{self.stem}.{suffix}"
