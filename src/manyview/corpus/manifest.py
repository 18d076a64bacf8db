"""Manifest: what a corpus folder contains."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from manyview.corpus.location import Location

MANIFEST = "manifest.json"
UNFINISHED = "manifest.json.unfinished"


class Shard(BaseModel):
    """One Parquet file of a corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: str = Field(description="path of the file, relative to the folder of the corpus")
    records: int = Field(description="rows of the file", ge=0)
    bytes: int = Field(description="size of the file", ge=0)
    sha256: str = Field(description="hexadecimal digest of the file")


class Manifest(BaseModel):
    """What `manifest.json` says about a corpus."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = Field(default=1, description="version of this layout")
    name: str = Field(description="name of the corpus")
    splits: dict[str, list[Shard]] = Field(description="shards of each split, in reading order")
    about: dict[str, Any] = Field(default_factory=dict, description="sources, licenses, counts, how it was made")


def file_digest(file: Location) -> str:
    """Hexadecimal sha256 of a file."""
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()  # type: ignore[arg-type]
