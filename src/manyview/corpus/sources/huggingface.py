"""Hugging Face: data sets on disk or on the hub, as save_to_disk or push_to_hub leave them."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from manyview.corpus.location import locate
from manyview.corpus.sources.block import Block, path_in
from manyview.corpus.sources.class_labels import labelled_features
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, read_or_none, until_damage
from manyview.corpus.sources.detect import completed
from manyview.corpus.sources.files import File, OneFile, find_files, is_remote, suffix_of
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import RowMapping
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table_rows import (
    MAX_BLOCK_BYTES,
    MAX_BLOCK_ROWS,
    arrow_block,
    parquet_blocks,
    parquet_schema,
)
from manyview.errors import UsageError

__all__ = ["HuggingFaceConfig", "HuggingFacePart", "HuggingFaceSource"]

SUFFIXES = (".arrow", ".feather", ".parquet")
LEFT_BEHIND = ("cache-", "tmp")  # what `map` and an interrupted save leave in the folder
SPLIT = re.compile(r"(\w+?)[-_.]\d+(?:[-_.]of[-_.]\d+)?(?:[-_.]\w+)?\.(?:parquet|arrow)")


class HuggingFaceConfig(RowMapping):
    """A data set whose images stand in a column with the Image feature, and its texts in others."""

    type: Literal["huggingface"] = "huggingface"
    path: str | tuple[str, ...] = Field(description="folder of a data set, its files, or hf://datasets/OWNER/NAME")
    splits: tuple[str, ...] = Field(default=(), description="the splits to take; default: all")
    root: str | None = Field(
        default=None,
        description="folder that image paths are relative to and must stay inside; default: that of the file, "
        "and any path",
    )


@dataclass(frozen=True)
class HuggingFacePart(OneFile):
    """One Arrow or Parquet file."""

    config: HuggingFaceConfig
    file: File

    def read(self) -> Iterator[Batch]:
        """The rows; numbers of a ClassLabel become its names."""
        places = Places(posixpath.dirname(self.file.path), self.config.root)
        skipped = Counter[str]()
        blocks = _blocks(self.file, self.config.columns())
        for block in until_damage(blocks, self.file.path, skipped):
            yield mapped(block, self.config, places)
        if skipped:
            yield counted_batch(skipped)


@dataclass(frozen=True)
class HuggingFaceSource:
    """The files of a data set."""

    config: HuggingFaceConfig

    def parts(self) -> Sequence[HuggingFacePart]:
        """A part for each file. Raises UsageError for what is no data set, missing splits and columns."""
        config = self.completed()
        return [HuggingFacePart(config, file) for file in self._files()]

    def completed(self) -> HuggingFaceConfig:
        """The config with its columns guessed from the first file where it names none. Raises UsageError."""
        files = self._files()
        for file in files:
            schema = read_or_none(file.path, dataset_schema, file)
            if schema is not None:
                return completed(self.config, schema, file.path, sample=partial(_first_block, file))
        raise UsageError(f"{files[0].path} cannot be read: it is damaged or no Arrow or Parquet file")

    def _files(self) -> list[File]:
        files = find_files(self.config.path, SUFFIXES)
        files = [file for file in files if not posixpath.basename(file.path).startswith(LEFT_BEHIND)]
        found = list(dict.fromkeys(_split(file) for file in files))
        if unknown := sorted(set(self.config.splits) - set(found)):
            raise UsageError(f"{self.config.path} has no split {unknown[0]!r}, only {', '.join(found)}")
        return [file for file in files if not self.config.splits or _split(file) in self.config.splits]


def dataset_schema(file: File) -> pa.Schema:
    """The columns of a file, with what the `datasets` library noted about them."""
    if suffix_of(file.path) == ".parquet":
        return parquet_schema(file)
    with _opened_arrow(file) as reader:
        return reader.schema


def _blocks(file: File, columns: Sequence[str]) -> Iterator[Block]:
    is_parquet = suffix_of(file.path) == ".parquet"
    return parquet_blocks(file, None, columns) if is_parquet else _arrow_blocks(file, columns)


def _first_block(file: File, columns: Sequence[str]) -> Block | None:
    return next(until_damage(_blocks(file, columns), file.path, Counter()), None)


def _split(file: File) -> str:
    """Of a file name such as train-00000-of-00002.parquet, else the folder that save_to_disk gives a split."""
    numbered = SPLIT.fullmatch(posixpath.basename(file.path))
    if numbered and numbered[1] != "data":
        return numbered[1]
    return posixpath.basename(posixpath.dirname(file.path))


@contextmanager
def _opened_arrow(file: File) -> Iterator[Any]:
    """Batches of an Arrow stream, or of an Arrow file; of a local one only the pages asked for are read."""
    with locate(file.path).open("rb") as raw, _input(raw, file) as source:
        try:
            reader = pa.ipc.open_stream(source)
        except pa.ArrowInvalid:
            source.seek(0)
            whole = pa.ipc.open_file(source)
            reader = pa.RecordBatchReader.from_batches(
                whole.schema, (whole.get_batch(number) for number in range(whole.num_record_batches))
            )
        yield reader


def _input(raw: Any, file: File) -> Any:
    return pa.PythonFile(raw, mode="r") if is_remote(file.path) else pa.memory_map(file.path)


def _arrow_blocks(file: File, wanted: Sequence[str]) -> Iterator[Block]:
    first = 0
    with _opened_arrow(file) as reader:
        names, features = reader.schema.names, labelled_features(reader.schema)
        columns = list(dict.fromkeys(top for name in wanted if (top := path_in(name, names)) is not None))
        for batch in reader:
            kept = batch.select(columns)
            rows = max(1, min(MAX_BLOCK_ROWS, MAX_BLOCK_BYTES * len(batch) // max(kept.nbytes, 1)))
            for start in range(0, len(batch), rows):
                yield arrow_block(kept.slice(start, rows), file.name, first + start, features)
            first += len(batch)
