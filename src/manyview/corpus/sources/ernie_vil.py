"""ERNIE-ViL: the TSV of text, image id and base64 image that its data sets and its evaluation use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from manyview.config import Config
from manyview.corpus.sources.files import find_files
from manyview.corpus.sources.mapping import ImageMapping, ViewMapping
from manyview.corpus.sources.table import TableConfig, TablePart, TableSource, first_row

__all__ = ["ErnieVilConfig", "ErnieVilSource"]

SUFFIXES = (".tsv", ".txt", ".csv")
LAYOUTS = {2: ("text", "image"), 3: ("text", "id", "image")}


class ErnieVilConfig(Config):
    """Lines of text, image id and image in base64, or of text and image; tabs between, no quotes, no heading."""

    type: Literal["ernie_vil"] = "ernie_vil"
    path: str | tuple[str, ...] = Field(description="TSV files, here or scheme://")
    kind: str = Field(default="caption", description="kind of the texts", pattern=r"^[A-Za-z][\w.-]*$")
    lang: str = Field(default="", description="BCP-47 code of all texts")
    encoding: str = Field(default="utf-8", description="of the files; gb18030 for instance")
    prefix: str = Field(default="", description="put before each id, where two sources use one id for two images")

    def describe(self) -> str:
        """One line a reader can check."""
        return f"{self.kind} <- first cell, id <- second of three, image <- last (as base64)"


@dataclass(frozen=True)
class ErnieVilSource:
    """The TSV files."""

    config: ErnieVilConfig

    def parts(self) -> Sequence[TablePart]:
        """A part for each file. Raises UsageError for missing files."""
        return TableSource(self.table()).parts()

    def completed(self) -> ErnieVilConfig:
        """The config: nothing of it is guessed."""
        return self.config

    def table(self) -> TableConfig:
        """The same as a table. With two cells a line, an id is the file and the row."""
        files = find_files(self.config.path, SUFFIXES)
        plain = TableConfig(
            path=tuple(file.path for file in files),
            format="csv",
            delimiter="\t",
            quote="",
            encoding=self.config.encoding,
            image=ImageMapping(column="image", form="base64"),
            views={self.config.kind: (ViewMapping(column="text", lang=self.config.lang),)},
            prefix=self.config.prefix,
        )
        heading = LAYOUTS.get(len(first_row(plain, files[0])), LAYOUTS[3])
        return plain.model_copy(update={"heading": heading, "id": "id" if "id" in heading else None})
