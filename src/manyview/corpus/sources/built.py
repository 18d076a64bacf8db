"""Built: a corpus that was built before, as a source of another."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from manyview.config import Config
from manyview.corpus.corpus import PACKAGED, Corpus, packaged_folder
from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.corpus.sources.damage import counted_batch, until_damage
from manyview.corpus.sources.files import File, OneFile, find_files
from manyview.corpus.sources.table_rows import opened_parquet
from manyview.corpus.table import SCHEMA
from manyview.errors import UsageError

__all__ = ["CorpusConfig", "CorpusPart", "CorpusSource"]

COLUMNS = ["id", "group", "license", "attribution", "image", "texts"]
ROWS = 256


class CorpusConfig(Config):
    """A corpus of shards."""

    type: Literal["corpus"] = "corpus"
    path: str = Field(description="folder of a corpus, 'starter' or 'glossary'")
    splits: tuple[str, ...] = Field(default=(), description="the splits to take; default: all")
    prefix: str = Field(
        default="", description="put before each id and group, where two sources use one id for two images"
    )

    def describe(self) -> str:
        """One line a reader can check."""
        return f"all records of {', '.join(self.splits) or 'all splits'}"


@dataclass(frozen=True)
class CorpusPart(OneFile):
    """One shard."""

    file: File
    prefix: str

    def read(self) -> Iterator[Batch]:
        """The records, their texts in order."""
        skipped = Counter[str]()
        first = 0
        for records in until_damage(self._tables(), self.file.path, skipped):
            yield self._batch(records, first)
            first += len(records)
        if skipped:
            yield counted_batch(skipped)

    def _tables(self) -> Iterator[pa.Table]:
        with opened_parquet(self.file) as opened:
            for batch in opened.iter_batches(ROWS, columns=COLUMNS, use_threads=False):
                yield pa.Table.from_batches([batch]).cast(pa.schema([SCHEMA.field(name) for name in COLUMNS]))

    def _batch(self, records: pa.Table, first: int) -> Batch:
        ids = pc.binary_join_element_wise(self.prefix, records["id"], "").combine_chunks()
        groups = pc.binary_join_element_wise(self.prefix, records["group"], "")
        columns = {name: records[name] for name in ("license", "attribution")}
        columns |= {"id": ids, "group": groups, "bytes": pc.struct_field(records["image"], "bytes")}
        nothing = {field.name: pa.nulls(len(records), field.type) for field in IMAGES}
        images = pa.table({**nothing, **columns}).select(IMAGES.names).cast(IMAGES)
        pictured = pc.or_(*(pc.struct_field(records["image"], name).is_valid() for name in ("bytes", "path")))
        texts = records["texts"].combine_chunks()
        rows, said = pc.list_parent_indices(texts), pc.list_flatten(texts)
        origins = [f"{self.file.name}:{first + row}" for row in rows.to_pylist()]
        views = [
            ids.take(rows),
            *(pc.struct_field(said, name) for name in VIEWS.names[1:5]),
            pa.array(origins, pa.string()),
        ]
        numbers = pc.subtract(pc.cumulative_sum(pictured.cast(pa.int64())), 1)
        beside = pc.if_else(pictured, numbers, pa.scalar(None, pa.int64())).combine_chunks().take(rows)
        without_image = images.filter(pc.invert(pictured))
        return Batch(
            images.filter(pictured),
            pa.Table.from_arrays(views, schema=VIEWS),
            beside=beside,
            texts_only=without_image if len(without_image) else None,
        )


@dataclass(frozen=True)
class CorpusSource:
    """The shards of a corpus."""

    config: CorpusConfig

    def completed(self) -> CorpusConfig:
        """The config: nothing of it is guessed."""
        return self.config

    def parts(self) -> Sequence[CorpusPart]:
        """A part for each shard. Raises UsageError for what is no corpus and for unknown splits."""
        corpus = Corpus.open(self.config.path)
        if unknown := sorted(set(self.config.splits) - set(corpus.splits)):
            raise UsageError(f"{self.config.path} has no split {unknown[0]!r}, only {', '.join(corpus.splits)}")
        wanted = self.config.splits or tuple(corpus.splits)
        folder = str(packaged_folder(self.config.path)) if self.config.path in PACKAGED else self.config.path
        paths = [posixpath.join(folder, shard.file) for split in wanted for shard in corpus.manifest.splits[split]]
        return [CorpusPart(file, self.config.prefix) for file in find_files(paths, (".parquet",))]
