"""Configs of a tagging run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from manyview.config import Config
from manyview.tags.tagger import Order

__all__ = ["SelectionConfig", "TagConfig", "TaggerConfig"]


class TaggerConfig(Config):
    """Which tagger, and how it is set up."""

    name: str = Field(description="a built-in tagger, or an entry point of the group manyview.taggers")
    model: str | None = Field(default=None, description="folder or file of the weights, or a hub id where one is taken")
    vocabulary: tuple[str, ...] | Path | None = Field(
        default=None, description="labels to look for, or a text file with one a line"
    )
    floor: float = Field(default=0.05, description="score below which a finding is not even cached", ge=0, le=1)
    options: dict[str, Any] = Field(default_factory=dict, description="what this tagger alone can be told")


class SelectionConfig(Config):
    """Which findings become tags, in what words. Changing it needs no new look at the images."""

    threshold: float | None = Field(
        default=None, description="least score of a tag; null: the tagger's own", ge=0, le=1
    )
    top: int = Field(default=20, description="tags an image gets at most", ge=1)
    min_area: float = Field(default=0.0, description="least share of the image that a tag covers", ge=0, le=1)
    order: Order | None = Field(
        default=None, description="importance: by confidence x area; given: as found; null: the tagger's own"
    )
    exclude: tuple[str, ...] = Field(default=(), description="labels that never become tags")
    template: str | None = Field(
        default=None,
        description="one text an image, {tags} in it being the list, as in 'The picture contains {tags}.'; "
        "null: one entry a tag, which a recipe's template joins",
    )

    @field_validator("template")
    @classmethod
    def _names_the_tags(cls, template: str | None) -> str | None:
        if template is not None and "{tags}" not in template:
            raise ValueError("a template has {tags} in it")
        return template


class TagConfig(Config):
    """A run over images: what is looked at with what, and what is written."""

    tagger: TaggerConfig
    select: SelectionConfig = SelectionConfig()
    kind: str | None = Field(
        default=None, description="kind of the views written; null: the tagger's own", min_length=1
    )
    lang: str | None = Field(default=None, description="BCP-47 code of the labels; null: the tagger's own")
    batch_size: int = Field(default=16, description="images a call of the tagger", ge=1)
    threads: int = Field(default=4, description="threads that decode images ahead of the tagger", ge=1)
    max_side_px: int = Field(default=1600, description="longer sides are shrunk to this before tagging", ge=16)
    min_side_px: int = Field(default=16, description="smaller images are left out and counted", ge=1)
    max_aspect: float = Field(
        default=20, description="images longer than this times their short side are left out", ge=1
    )
    max_pixels: int = Field(default=50_000_000, description="larger images are left out and counted", ge=1)
    cache: Path | None = Field(
        default=None, description="SQLite file of findings by image hash; null: beside the output"
    )
