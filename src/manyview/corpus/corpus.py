"""Corpus: a folder of shards, opened for reading."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import ValidationError

from manyview.corpus.blocks import Block, Blocks
from manyview.corpus.location import file_sizes, locate, open_parquet
from manyview.corpus.manifest import MANIFEST, UNFINISHED, Manifest, Shard, file_digest
from manyview.corpus.record import Record
from manyview.corpus.shard_counts import TextCounts, add_text_counts, source_counts, text_counts
from manyview.corpus.table import SCHEMA, records_from_table
from manyview.errors import DataError, UsageError, require_utf8

if TYPE_CHECKING:
    from manyview.corpus.location import Location

PACKAGED = ("starter", "glossary")
DEFAULT_SPLIT = "train"
NUMBERED_SPLIT = re.compile(r"(\w+?)[-_.]\d+(?:-of-\d+)?")
UNREADABLE = (pa.ArrowException, OSError, LookupError, ValueError)


@dataclass(frozen=True)
class Corpus:
    """Shards of a folder; reading keeps no state, so a Corpus can be sent to other processes."""

    folder: Location
    manifest: Manifest

    @classmethod
    def open(cls, path: str | Path | Location) -> Corpus:
        """Open a corpus folder, on this machine or under scheme://; "starter" and "glossary" come with the package.

        A folder of Parquet files in our schema needs no manifest: its splits are read off the file names.
        Raises UsageError for what is not a corpus or holds no record, DataError for a damaged one.
        """
        require_utf8(path)
        folder = packaged_folder(str(path)) if str(path) in PACKAGED else locate(path)
        if not _is_folder(folder):
            raise UsageError(f"no corpus at {folder}: give a folder of shards, 'starter' or 'glossary'")
        if (folder / MANIFEST).is_file():
            manifest = _read_manifest(folder / MANIFEST)
            _check_sizes(folder, manifest)
        elif (folder / UNFINISHED).exists():
            raise UsageError(f"the corpus at {folder} was not written to its end: build it again")
        else:
            manifest = _manifest_from_files(folder)
        corpus = cls(folder, manifest)
        if not sum(corpus.splits.values()):
            raise UsageError(f"the corpus at {folder} has no records")
        return corpus

    @property
    def splits(self) -> dict[str, int]:
        """Number of records in each split."""
        return {split: sum(shard.records for shard in shards) for split, shards in self.manifest.splits.items()}

    def image_count(self, split: str) -> int:
        """How many records of a split have an image."""
        return sum(shard.records if shard.images is None else shard.images for shard in self._shards(split))

    def blocks(self, split: str) -> Blocks:
        """The row groups of a split, in order; shards that the manifest does not count are opened for their sizes."""
        shards = self._shards(split)
        files = [self.folder / shard.file for shard in shards]
        sizes = (
            _row_groups(file, shard.records) if shard.row_groups is None else shard.row_groups
            for file, shard in zip(files, shards, strict=True)
        )
        return Blocks.of_shards(files, sizes)

    def read(self, block: Block, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of a block in the types of SCHEMA; `columns` are names of it, all by default."""
        return read_block(block, columns)

    def text_counts(self, split: str) -> TextCounts:
        """How many texts of each kind in each language a split has, as {"title": {"en": 3, "": 1}}.

        From the manifest; shards that it does not count are read, their texts only.
        """
        total: TextCounts = {}
        for counts in self.shard_text_counts(split):
            add_text_counts(total, counts)
        return total

    def shard_text_counts(self, split: str) -> Iterator[TextCounts]:
        """The same for each shard, for callers that stop early."""
        for shard in self._shards(split):
            if shard.texts is not None:
                yield shard.texts
            elif shard.records:
                yield text_counts(_read(self.folder / shard.file, ["texts"])["texts"])

    def source_rows(self, split: str) -> dict[str, np.ndarray]:
        """Rows of each source in each block, int32 [blocks], by name of the source in alphabetical order.

        From the manifest; shards that it does not count are read, that column only.
        """
        shards, blocks = self._shards(split), self.blocks(split)
        ends = [*blocks.first[1:].tolist(), len(blocks)]
        counted: dict[str, np.ndarray] = {}
        for shard, first, end in zip(shards, blocks.first.tolist(), ends, strict=True):
            of_shard = self._source_rows(blocks[first:end]) if shard.sources is None else shard.sources
            for name, rows in of_shard.items():
                if name not in counted:
                    counted[name] = np.zeros(len(blocks), np.int32)
                counted[name][first:end] = rows
        return dict(sorted(counted.items()))

    def texts(self, split: str, shard: int) -> pa.ChunkedArray:
        """The texts of one shard of a split, by its number; images are not read."""
        return _read(self.folder / self._shards(split)[shard].file, ["texts"])["texts"]

    def verify(self) -> None:
        """Compare every shard with its digest in the manifest; DataError names the first that differs."""
        for shard in (shard for shards in self.manifest.splits.values() for shard in shards if shard.sha256):
            file = self.folder / shard.file
            if file_digest(file) != shard.sha256:
                raise DataError(f"{file} is not the file the manifest describes: copy or build it again")

    def records(self, split: str) -> Iterator[Record]:
        """The records of a split, in the order of the shards."""
        for block in self.blocks(split):
            yield from records_from_table(self.read(block))

    def _shards(self, split: str) -> list[Shard]:
        if split not in self.manifest.splits:
            raise UsageError(f"the corpus at {self.folder} has no split {split!r}, only {sorted(self.splits)}")
        return self.manifest.splits[split]

    def _source_rows(self, blocks: Sequence[Block]) -> Mapping[str, Sequence[int]]:
        counts = [source_counts(self.read(block, ["source"])["source"]) for block in blocks]
        return {name: [of_block[name] for of_block in counts] for name in set[str]().union(*counts)}


def read_block(block: Block, columns: Sequence[str] | None = None) -> pa.Table:
    """What Corpus.read reads. Raises DataError naming a damaged file, or one with other rows than were counted."""
    table = _read(block.file, columns, block.row_group)
    if len(table) != block.rows:
        raise DataError(f"{block.file} has {len(table)} rows in a row group where {block.rows} were counted")
    return table


def packaged_folder(name: str) -> Path:
    """Where a corpus of PACKAGED lies."""
    return Path(__file__).parent.parent / name


def _is_folder(folder: Location) -> bool:
    try:
        return folder.is_dir()
    except Exception as error:  # every remote file system has its own
        raise UsageError(f"no corpus at {folder}: {_one_line(error)}") from error


def _read_manifest(file: Location) -> Manifest:
    try:
        return Manifest.model_validate_json(file.read_bytes())
    except (ValidationError, OSError) as error:
        raise DataError(f"{file} is damaged: {_one_line(error)}") from error


def _check_sizes(folder: Location, manifest: Manifest) -> None:
    """Each folder with shards is listed once, which a store far away answers at once for thousands of files."""
    sizes: dict[str, dict[str, int]] = {}
    for shard in (shard for shards in manifest.splits.values() for shard in shards):
        parent, _, name = shard.file.rpartition("/")
        if parent not in sizes:
            sizes[parent] = file_sizes(folder / parent if parent else folder)
        size = sizes[parent].get(name)
        if size != shard.bytes:
            got = "is missing" if size is None else f"has {size} bytes"
            raise DataError(
                f"{folder / shard.file} {got}, the manifest says {shard.bytes} bytes: copy or build it again"
            )


def _manifest_from_files(folder: Location) -> Manifest:
    splits: dict[str, list[Shard]] = {}
    files = sorted({*folder.glob("*.parquet"), *(folder / "data").glob("*.parquet")})
    for file in files:
        metadata = _read_metadata(file)
        names = metadata.schema.to_arrow_schema()
        if missing := [field.name for field in SCHEMA if not names.get_all_field_indices(field.name)]:
            raise UsageError(f"{file} is not a shard of a corpus: it has no column {missing}")
        numbered = NUMBERED_SPLIT.fullmatch(file.stem)
        split = numbered[1] if numbered else DEFAULT_SPLIT
        shard = Shard(
            file=file.relative_to(folder).as_posix(),
            records=metadata.num_rows,
            bytes=file.stat().st_size,
            sha256="",
            images=_image_count(metadata),
        )
        splits.setdefault(split, []).append(shard)
    if not splits:
        raise UsageError(f"{folder} is not a corpus: it has neither {MANIFEST} nor Parquet files")
    return Manifest(name=folder.name, splits=splits)


def _image_count(metadata: pq.FileMetaData) -> int:
    """Records with an image, by the statistics of a file; all where it has none."""
    images: int = metadata.num_rows
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        column = next(c for c in map(group.column, range(group.num_columns)) if c.path_in_schema == "image.bytes")
        if column.is_stats_set and column.statistics.has_null_count:
            images -= column.statistics.null_count
    return images


def _read(file: Location, columns: Sequence[str] | None, row_group: int | None = None) -> pa.Table:
    """A row group of a file, or all of it, in the types of SCHEMA. Raises DataError naming a damaged file."""
    names = SCHEMA.names if columns is None else list(columns)
    if unknown := set(names) - set(SCHEMA.names):
        raise UsageError(f"a shard has no column {sorted(unknown)}, only {SCHEMA.names}")
    expected = pa.schema([SCHEMA.field(name) for name in names])
    try:
        with open_parquet(file, page_checksum_verification=True) as shard:
            table = shard.read(names) if row_group is None else shard.read_row_group(row_group, columns=names)
        table = table.select(names).cast(expected)
        table.validate(full=True)
    except UNREADABLE as error:
        raise DataError(f"{file} is damaged: {_one_line(error)}") from error
    return table


def _row_groups(file: Location, records: int) -> list[int]:
    metadata = _read_metadata(file)
    if metadata.num_rows != records:
        raise DataError(f"{file} has {metadata.num_rows} records, the manifest says {records}")
    return [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]


def _read_metadata(file: Location) -> pq.FileMetaData:
    try:
        with open_parquet(file) as opened:
            return opened.metadata
    except UNREADABLE as error:
        raise DataError(f"{file} is damaged: {_one_line(error)}") from error


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
