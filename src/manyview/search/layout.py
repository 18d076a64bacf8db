"""What an index folder holds.

features.npy        float32 [rows, dim], L2-normalised, in the order of the corpus
metadata.parquet    the same rows: id, titles, split, source, license, attribution, thumbnail
index.json          IndexCard: what the rows were made of
"""

from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

__all__ = ["CARD", "FEATURES", "METADATA", "SCHEMA", "IndexCard", "Origin"]

CARD = "index.json"
FEATURES = "features.npy"
METADATA = "metadata.parquet"

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("titles", pa.list_(pa.struct([("lang", pa.string()), ("text", pa.string())]))),
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


class IndexCard(BaseModel):
    """What `index.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal[1] = Field(default=1, description="version of this layout")
    rows: int = Field(ge=0, description="pictures in the index")
    dim: int = Field(ge=1, description="length of a feature")
    splits: dict[str, int] = Field(description="rows taken from each split of the corpus")
    skipped: dict[str, int] = Field(default_factory=dict, description="records left out, by reason")
    model: Origin = Field(default=Origin(), description="the model that made the features")
    corpus: Origin = Field(default=Origin(), description="the corpus that was indexed")
