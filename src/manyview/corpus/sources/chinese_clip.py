"""Chinese-CLIP: a TSV of images in base64 and a JSONL of texts, each naming the images it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from manyview.config import Config
from manyview.corpus.sources.block import Block
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, until_damage
from manyview.corpus.sources.files import File, find_files, open_stream
from manyview.corpus.sources.json_rows import json_row
from manyview.corpus.sources.lines import raw_lines
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import ImageMapping, RowMapping, ViewMapping
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table import TableConfig, TablePart, TableSource
from manyview.corpus.sources.table_rows import chunks
from manyview.errors import UsageError

__all__ = ["ChineseClipConfig", "ChineseClipSource", "TextsPart"]


class ChineseClipConfig(Config):
    """`{split}_imgs.tsv` (id, base64) and `{split}_texts.jsonl` ({"text_id", "text", "image_ids"})."""

    type: Literal["chinese_clip"] = "chinese_clip"
    path: str | None = Field(default=None, description="folder of *_imgs.tsv and *_texts.jsonl")
    images: str | tuple[str, ...] | None = Field(default=None, description="the TSV files, if not in `path`")
    texts: str | tuple[str, ...] | None = Field(default=None, description="the JSONL files, if not in `path`")
    kind: str = Field(default="caption", description="kind of the texts", pattern=r"^[A-Za-z][\w.-]*$")
    lang: str = Field(default="zh", description="BCP-47 code of all texts")
    prefix: str = Field(default="", description="put before each id, where two sources use one id for two images")

    def describe(self) -> str:
        """One line a reader can check."""
        return f"image <- *_imgs.tsv (as base64), {self.kind} <- text of *_texts.jsonl for each of its image_ids"


@dataclass(frozen=True)
class TextsPart:
    """One JSONL file of texts."""

    config: ChineseClipConfig
    file: File

    @property
    def name(self) -> str:
        """The file."""
        return f"texts/{self.file.name}"

    @property
    def version(self) -> str:
        """Of the file."""
        return self.file.version

    def read(self) -> Iterator[Batch]:
        """Each text once for each image it belongs to."""
        skipped = Counter[str]()
        view = ViewMapping(column="text", lang=self.config.lang)
        mapping = RowMapping(id="image_id", views={self.config.kind: (view,)}, prefix=self.config.prefix)
        for rows in chunks(self._rows(skipped), lambda row: 64 + len(str(row["text"]))):
            places = pa.array([row["place"] for row in rows], pa.string())
            yield mapped(Block.from_rows(rows, mapping.columns(), places, skipped), mapping, Places(""))
        if +skipped:
            yield counted_batch(skipped)

    def _rows(self, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
        with open_stream(self.file.path) as stream:
            lines = until_damage(raw_lines(stream, skipped), self.file.path, skipped)
            for number, line in enumerate(lines):
                row = json_row(line, skipped)
                if row is not None:
                    yield from _by_image(row, f"{self.file.name}:{number}", skipped)


@dataclass(frozen=True)
class ChineseClipSource:
    """The files of images and those of texts."""

    config: ChineseClipConfig

    def parts(self) -> Sequence[TablePart | TextsPart]:
        """A part for each file, images first. Raises UsageError for missing files."""
        images = TableConfig(
            path=tuple(file.path for file in self._files("images", "_imgs.tsv")),
            format="csv",
            delimiter="\t",
            quote="",
            heading=("id", "image"),
            id="id",
            image=ImageMapping(column="image", form="base64"),
            views={},
            prefix=self.config.prefix,
        )
        texts = self._files("texts", "_texts.jsonl")
        return [*TableSource(images).parts(), *(TextsPart(self.config, file) for file in texts)]

    def completed(self) -> ChineseClipConfig:
        """The config: nothing of it is guessed."""
        return self.config

    def _files(self, what: Literal["images", "texts"], ending: str) -> list[File]:
        said = self.config.images if what == "images" else self.config.texts
        if said is None and self.config.path is None:
            raise UsageError(f"a chinese_clip source needs `path`, a folder of *{ending} files, or `{what}`")
        suffix = ending[ending.rindex(".") :]
        files = find_files(said or self.config.path or "", (suffix,))
        if said is None:
            files = [file for file in files if file.path.endswith(ending)]
        if not files:
            raise UsageError(f"no *{ending} files in {self.config.path}")
        return files


def _by_image(row: dict[str, Any], place: str, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
    images = row.get("image_ids")
    if not isinstance(images, list) or not images:
        skipped["text: of no image"] += 1
        return
    for image in images:
        yield {"image_id": image, "text": row.get("text"), "place": place}
