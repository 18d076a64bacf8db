"""Manifest: what a corpus folder contains."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

if TYPE_CHECKING:
    from manyview.corpus.location import Location

MANIFEST = "manifest.json"
UNFINISHED = "manifest.json.unfinished"

_COUNTS = {"row_groups", "images", "texts", "sources"}


class Shard(BaseModel):
    """One Parquet file of a corpus.

    `row_groups`, `images`, `texts` and `sources` spare readers the file itself. Corpora that were written without them
    stay readable: what is missing is read from the shards.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")  # entries of later versions do not make a corpus unreadable

    file: str = Field(description="path of the file, relative to the folder of the corpus")
    records: int = Field(description="rows of the file", ge=0)
    bytes: int = Field(description="size of the file", ge=0)
    sha256: str = Field(description="hexadecimal digest of the file")
    row_groups: tuple[int, ...] | None = Field(default=None, description="rows of each row group")
    images: int | None = Field(
        default=None,
        description="records with an image; left out where every record has one",
        ge=0,
    )
    texts: dict[str, dict[str, int]] | None = Field(
        default=None, description="number of texts of each kind in each language, '' where it is unknown"
    )
    sources: dict[str, tuple[int, ...]] | None = Field(
        default=None, description="rows of each source in each row group; left out where there are many sources"
    )

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.row_groups is not None and sum(self.row_groups) != self.records:
            raise ValueError(f"{self.file} has {self.records} records, but its row groups have {sum(self.row_groups)}")
        if self.sources is not None and self.row_groups != tuple(map(sum, zip(*self.sources.values(), strict=True))):
            raise ValueError(f"the rows of the sources of {self.file} are not those of its row groups")
        return self


class Manifest(BaseModel):
    """What `manifest.json` says about a corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = Field(default=1, description="version of this layout")
    name: str = Field(description="name of the corpus")
    splits: dict[str, list[Shard]] = Field(description="shards of each split, in reading order")
    about: dict[str, Any] = Field(default_factory=dict, description="sources, licenses, counts, how it was made")

    def to_json(self) -> str:
        """The content of `manifest.json`, with one line for each shard."""
        splits = ",\n".join(
            f"  {_json(name)}: [\n" + ",\n".join(f"   {_shard_json(shard)}" for shard in shards) + "\n  ]"
            for name, shards in self.splits.items()
        )
        about = _json(self.model_dump(mode="json")["about"], indent=1).replace("\n", "\n ")
        return (
            f'{{\n "format": {self.format},\n "name": {_json(self.name)},\n "splits": {{\n{splits}\n }},\n'
            f' "about": {about}\n}}\n'
        )

    def identity(self) -> str:
        """Text that differs when the records differ; the same whether or not the shards are counted."""
        return self.model_dump_json(exclude={"splits": {"__all__": {"__all__": _COUNTS}}})


def file_digest(file: Location) -> str:
    """Hexadecimal sha256 of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()  # type: ignore[arg-type]


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _shard_json(shard: Shard) -> str:
    return shard.model_dump_json(exclude_none=True)
