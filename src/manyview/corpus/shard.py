"""Shards: a corpus written as Parquet files that many readers understand."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from manyview.corpus.manifest import MANIFEST, UNFINISHED, Manifest, Shard, file_digest
from manyview.corpus.record import Record
from manyview.corpus.shard_counts import ShardCounts
from manyview.corpus.split import seeded_order
from manyview.corpus.table import DICTIONARY_COLUMNS, SCHEMA, table_from_records
from manyview.errors import DataError, ManyviewError, UsageError

__all__ = ["SCHEMA", "TEXTS_ONLY_BYTES", "Manifest", "Shard", "shard_writer", "write_corpus"]

TEXTS_ONLY_BYTES = 4 << 10
"""What a record of texts only counts at least: about its size in a reader's memory, where row groups are kept."""

_LEAVES = [*(f.name for f in SCHEMA if not f.type.num_fields), "image.bytes", "image.path"]
_LEAVES += [name for name in DICTIONARY_COLUMNS if name.startswith("texts.")]


def write_corpus(
    folder: str | Path,
    splits: Mapping[str, Sequence[Record]],
    *,
    name: str,
    seed: int = 0,
    max_shard_bytes: int = 256 << 20,
    row_group_bytes: int = 8 << 20,
    about: Mapping[str, Any] | None = None,
) -> Manifest:
    """Write each split, shuffled by the hash of (seed, id), as `data/{split}-{number:05d}.parquet`.

    Sizes count images and texts before compression. The same input leaves the same bytes. `manifest.json`
    appears last: a folder whose writing was interrupted cannot be opened and is written afresh by the next
    call. Raises UsageError for a folder with other things in it, DataError for an id that occurs twice,
    ManyviewError when the disk refuses.
    """
    folder = Path(folder)
    _check_records(splits)
    try:
        _claim(folder)
        shards = {
            split: list(_write_split(folder, split, records, seed, max_shard_bytes, row_group_bytes))
            for split, records in splits.items()
        }
        manifest = Manifest(name=name, splits=shards, about=dict(about or {}))
        unfinished = folder / UNFINISHED
        unfinished.write_text(manifest.to_json(), encoding="utf-8")
        unfinished.replace(folder / MANIFEST)
    except OSError as error:
        raise ManyviewError(f"cannot write the corpus to {folder}: {error.strerror or error}") from error
    return manifest


def shard_writer(file: Any, *, compress_images: bool = True) -> pq.ParquetWriter:
    """A writer of tables in SCHEMA to a path or a handle; page checksums tell a damaged page from a good one.

    Formats such as JPEG hardly shrink any more: without `compress_images` their bytes are written as they are, and the
    texts beside them, a hundredth of the file, are not worth a slow compression either; small pages spare the writer
    copies.
    """
    left = () if compress_images else ("image.bytes",)
    level = 12 if compress_images else 3
    return pq.ParquetWriter(
        file,
        SCHEMA,
        compression={column: "none" if column in left else "zstd" for column in _LEAVES},
        compression_level={column: level for column in _LEAVES if column not in left},
        use_dictionary=DICTIONARY_COLUMNS,
        dictionary_pagesize_limit=4 << 20,
        data_page_size=4 << 20 if compress_images else 256 << 10,
        write_batch_size=1024 if compress_images else 8,
        write_page_checksum=True,
        write_statistics=["id", "source"],
    )


def _check_records(splits: Mapping[str, Sequence[Record]]) -> None:
    seen: set[str] = set()
    for split, records in splits.items():
        if not split or not split.replace("_", "").isalnum():
            raise UsageError(f"a split is named with letters, digits and underscores, got {split!r}")
        for record in records:
            if record.id in seen:
                raise DataError(f"record ids must be unique, got {record.id!r} twice")
            seen.add(record.id)
    if not seen:
        raise UsageError("a corpus needs at least one record, got none")


def _claim(folder: Path) -> None:
    """Make the folder ours; what an interrupted call has left there is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished, data = folder / UNFINISHED, folder / "data"
    if unfinished.exists() and not (folder / MANIFEST).exists():
        for leftover in sorted(data.glob("*")) if data.is_dir() else []:
            if leftover.suffix in {".parquet", ".partial"}:
                leftover.unlink()
    elif any(folder.iterdir()):
        raise UsageError(f"a corpus is written to an empty folder, got {folder} with files in it")
    unfinished.touch()
    data.mkdir(exist_ok=True)


def _write_split(
    folder: Path, split: str, records: Sequence[Record], seed: int, max_shard_bytes: int, row_group_bytes: int
) -> Iterator[Shard]:
    shuffled = sorted(records, key=lambda record: seeded_order(seed, record.id))
    for number, part in enumerate(_even_parts(shuffled, max_shard_bytes)):
        file = f"data/{split}-{number:05d}.parquet"
        partial = folder / f"{file}.partial"
        counts = ShardCounts()
        with shard_writer(partial) as writer:
            for group in _even_parts(part, row_group_bytes):
                table = table_from_records(group)
                writer.write_table(table, row_group_size=len(group))
                counts.add(table)
        _flush(partial)
        digest = file_digest(partial)
        partial.replace(folder / file)
        yield Shard(
            file=file,
            records=len(part),
            bytes=(folder / file).stat().st_size,
            sha256=digest,
            **counts.entries(),
        )


def _even_parts(records: Sequence[Record], max_bytes: int) -> Iterator[Sequence[Record]]:
    """Consecutive runs of about equal size, as few as `max_bytes` allows, give or take one record."""
    sizes = [_content_bytes(record) for record in records]
    total = sum(sizes)
    parts = math.ceil(total / max_bytes)
    before = 0
    members: list[list[Record]] = [[] for _ in range(parts)]
    for record, size in zip(records, sizes, strict=True):
        members[before * parts // total].append(record)
        before += size
    return (part for part in members if part)


def _content_bytes(record: Record) -> int:
    texts = sum(len(text.text.encode()) + 16 for text in record.texts) + 64
    return max(texts, TEXTS_ONLY_BYTES) if record.image is None else len(record.image) + texts


def _flush(file: Path) -> None:
    """A renamed file must not turn out empty after a power failure."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
