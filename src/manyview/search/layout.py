"""What an index folder holds.

features.npy, rows.npy              the vectors of the records, and which records have one
view-0.npy, view-0.rows.npy, ...    the same of each view, in the order of IndexCard.views
groups.npy                          int64 a record: equal for records of one group
metadata.parquet                    a row a record: id, titles, texts, split, source, license, attribution, thumbnail
index.json                          IndexCard: what the rows were made of

Vectors are float32 [m, dim], L2-normalised; rows are int64 [m], ascending positions in the order of the corpus.
"""

from typing import Final, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "CARD",
    "FORMAT",
    "GROUPS",
    "IMAGE",
    "METADATA",
    "SCHEMA",
    "IndexCard",
    "Origin",
    "ViewCard",
    "record_files",
    "view_files",
]

FORMAT: Final = 2
CARD = "index.json"
IMAGE = "image"  # the view that is no kind of text
METADATA = "metadata.parquet"
GROUPS = "groups.npy"

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("titles", pa.list_(pa.struct([("lang", pa.string()), ("text", pa.string())]))),
        ("texts", pa.list_(pa.struct([("kind", pa.string()), ("lang", pa.string()), ("text", pa.string())]))),
        ("split", pa.string()),
        ("source", pa.string()),
        ("license", pa.string()),
        ("attribution", pa.string()),
        ("thumbnail", pa.binary()),
    ]
)


class Origin(BaseModel):
    """What something was made of: where it lay and the digest of its content."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(default="", description="folder it was read from")
    sha256: str = Field(default="", description="hexadecimal digest of its content, empty when unknown")


class ViewCard(BaseModel):
    """One view of the records: their pictures ("image"), or their texts of one kind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description='"image", or a kind of text')
    rows: int = Field(ge=0, description="records that have it")
    weight: float = Field(ge=0, allow_inf_nan=False, description="its weight in the record's vector")


class IndexCard(BaseModel):
    """What `index.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[2] = Field(default=FORMAT, description="version of this layout")
    rows: int = Field(ge=0, description="records in the index")
    record_rows: int = Field(ge=0, description="records with a vector: those that have a view of weight above 0")
    dim: int = Field(ge=1, description="length of a vector")
    views: tuple[ViewCard, ...] = Field(description="the views of the records, in the order of their files")
    splits: dict[str, int] = Field(description="rows taken from each split of the corpus")
    skipped: dict[str, int] = Field(default_factory=dict, description="records left out, by reason")
    model: Origin = Field(default=Origin(), description="the model that made the vectors")
    corpus: Origin = Field(default=Origin(), description="the corpus that was indexed")


def record_files() -> tuple[str, str]:
    """The files of the record vectors and of their rows."""
    return "features.npy", "rows.npy"


def view_files(number: int) -> tuple[str, str]:
    """The files of a view's vectors and of their rows, by its place in `IndexCard.views`: names can be any text."""
    return f"view-{number}.npy", f"view-{number}.rows.npy"
