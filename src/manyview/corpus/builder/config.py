"""BuildConfig: from what people have to a corpus, as a user writes it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from manyview.config import Config
from manyview.corpus.cleaning.rules import CleaningRules
from manyview.corpus.clicks import ClickLog
from manyview.corpus.fetch import FetchRules
from manyview.corpus.sources.config import SourceConfig

__all__ = ["BuildConfig", "EncodingConfig", "ShardConfig", "SplitConfig"]

Share = Annotated[float, Field(gt=0, le=1)]
SplitName = Annotated[str, Field(pattern=r"^\w+$")]


class SplitConfig(Config):
    """Which records are held out. A record is drawn with its group, by a hash: adding data moves no other record."""

    shares: dict[SplitName, Share] = Field(
        {"train": 0.98, "val": 0.01, "test": 0.01}, description="share of the groups for each split; together 1"
    )
    together: tuple[str, ...] = Field(
        (), description="kinds of text that tie images: those with an equal one stay on one side of the split"
    )
    max_held_out: int | None = Field(
        100, ge=1, description="groups of more records go to the largest share; null: no such bound"
    )

    @field_validator("shares")
    @classmethod
    def _whole(cls, shares: dict[str, float]) -> dict[str, float]:
        if abs(sum(shares.values()) - 1) > 1e-6:
            raise ValueError(f"shares must sum to 1, got {sum(shares.values()):g}")
        return shares


class ShardConfig(Config):
    """How the corpus is cut into files."""

    max_bytes: int = Field(256 << 20, ge=1 << 10, description="images and texts of a shard, about")
    row_group_bytes: int = Field(8 << 20, ge=1 << 10, description="what is read at once, about")


class EncodingConfig(Config):
    """How images are encoded anew; by default they stay as they are, byte for byte."""

    max_side_px: int | None = Field(None, ge=16, description="longer images are scaled down to this long side")
    format: Literal["JPEG", "WEBP"] | None = Field(None, description="encode all images as this; null: as they are")
    quality: int = Field(90, ge=1, le=100, description="of what is encoded anew")

    @property
    def untouched(self) -> bool:
        """Whether no image changes."""
        return self.max_side_px is None and self.format is None


class BuildConfig(Config):
    """A whole build."""

    name: str = Field("corpus", description="what the corpus is called")
    license: str = Field("", description="SPDX expression for images whose source names none")
    seed: int = Field(0, description="of the order of records and of the split")
    sources: tuple[SourceConfig, ...] = Field((), description="tables, folders, tars, pages, ... and tables of texts")
    clicks: tuple[ClickLog, ...] = Field((), description="logs of queries and what was clicked")
    clean: CleaningRules = Field(CleaningRules(), description="what is left out, and why")
    fetch: FetchRules | None = Field(None, description="how images named by URL are fetched; needed if there are any")
    equal_ids: Literal["by_image", "same"] = Field(
        "by_image",
        description="what equal ids of several sources, and equal keys of several tars, mean; by_image: one record if "
        "their images are equal, else one each, called SOURCE/ID; same: one record, of the first image",
    )
    min_texts: int = Field(1, ge=0, description="texts an image needs; 0 keeps images of which nothing is said")
    split: SplitConfig = Field(SplitConfig(), description="what is held out")
    images: EncodingConfig = Field(EncodingConfig(), description="whether images are encoded anew")
    shards: ShardConfig = Field(ShardConfig(), description="sizes of files")
    max_skipped_share: float = Field(
        0.9, ge=0, le=1, description="share of images left out above which the build stops instead of going on"
    )
