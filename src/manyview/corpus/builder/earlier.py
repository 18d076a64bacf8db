"""Earlier: what a corpus holds already, when a build adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus.builder.together import Component
from manyview.corpus.corpus import Corpus
from manyview.errors import UsageError

if TYPE_CHECKING:
    from manyview.corpus.location import Location

__all__ = ["NOTHING", "PROVENANCE", "Earlier", "provenance_file", "read_earlier"]

PROVENANCE = pa.schema(
    [
        ("id", pa.string()),
        ("group", pa.string()),  # what the source called its group; the shard has that of all that is tied to it
        ("together", pa.string()),
        ("content", pa.int64()),  # of the bytes before they were encoded anew
        ("looks", pa.int64()),
        ("image_origin", pa.string()),  # the file that held the bytes, the part of a source, or the URL
        ("text_origins", pa.list_(pa.string())),  # one for each text of the record
    ]
)


@dataclass(frozen=True)
class Earlier:
    """Records of a corpus: ids, contents, looks, groups; and how many shards each split has."""

    records: pa.Table
    shards: Mapping[str, int]

    def settled(self) -> dict[str, Component]:
        """Where groups went."""
        found = {}
        for column in ("group", "together"):
            for group, name, split in zip(
                *(self.records[key].to_pylist() for key in (column, "together", "split")), strict=True
            ):
                found[group] = Component(name, split)
        return found


_COLUMNS = ("id", "group", "together", "content", "looks")
_SCHEMA = pa.schema([*(PROVENANCE.field(name) for name in _COLUMNS), ("split", pa.string())])
NOTHING = Earlier(_SCHEMA.empty_table(), {})


def provenance_file(shard: str) -> str:
    """Where the origins of a shard's rows are written, relative to the corpus."""
    return shard.replace("data/", "provenance/", 1)


def read_earlier(folder: Location) -> Earlier:
    """What the corpus in a folder holds. Raises UsageError for one that no build has written."""
    corpus = Corpus.open(folder)
    tables = [_SCHEMA.empty_table()]
    for split, shards in corpus.manifest.splits.items():
        for shard in shards:
            file = folder / provenance_file(shard.file)
            if not file.is_file():
                raise UsageError(f"{folder} was not written by a build: {file} is missing, nothing can be added to it")
            with file.open("rb") as handle:
                table = pq.read_table(handle, columns=list(_COLUMNS))
            tables.append(table.append_column("split", pa.repeat(pa.scalar(split), len(table))))
    return Earlier(pa.concat_tables(tables), {split: len(shards) for split, shards in corpus.manifest.splits.items()})
