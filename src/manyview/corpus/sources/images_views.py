"""Images and views: the two tables of the contract, written as Parquet by Spark, BigQuery or anything else.

Only `id` is needed in either, `kind` and `text` in views; the other columns of the contract may be missing,
and further ones are not read.
"""

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
from manyview.corpus.sources.block import Block
from manyview.corpus.sources.cells import MAX_TEXT_BYTES, as_ids, as_numbers, as_texts, fault_of
from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch
from manyview.corpus.sources.damage import counted_batch, read_or_none, until_damage
from manyview.corpus.sources.detect import require_names
from manyview.corpus.sources.files import File, find_files
from manyview.corpus.sources.language_tags import language_tags
from manyview.corpus.sources.mapped import weights_of
from manyview.corpus.sources.mapping import TEXTS_ONLY, Column, ImageForm, ViewMapping
from manyview.corpus.sources.pictures import Places, pictures
from manyview.corpus.sources.table_rows import parquet_blocks, parquet_schema
from manyview.errors import UsageError

__all__ = ["ImagesViewsConfig", "ImagesViewsPart", "ImagesViewsSource"]

SUFFIXES = (".parquet", ".pq")
FORMS: dict[str, ImageForm] = {"bytes": "bytes", "path": "path", "url": "url"}
KIND = r"^[A-Za-z][\w.-]*$"
NEEDED = {"images": ("id",), "views": ("id", "kind", "text")}


class ImagesViewsConfig(Config):
    """Two tables in Parquet: one row an image, one row a text."""

    type: Literal["images_views"] = "images_views"
    images: str | tuple[str, ...] | None = Field(
        default=None,
        description="files, folder or glob of the table images; without it, texts for other sources' images",
    )
    views: str | tuple[str, ...] | None = Field(default=None, description="files, folder or glob of the table views")
    root: str | None = Field(
        default=None,
        description="folder that image paths are relative to and must stay inside; default: that of the table, "
        "and any path",
    )
    texts_only: bool = Field(default=False, description=TEXTS_ONLY.replace("each row", "each id of views"))

    def describe(self) -> str:
        """One line a reader can check."""
        parts = [f"{name} <- {path}" for name in NEEDED if (path := getattr(self, name)) is not None]
        return ", ".join([*parts, *["records of texts only"] * self.texts_only])


@dataclass(frozen=True)
class ImagesViewsPart:
    """One file of one of the two tables."""

    table: Literal["images", "views"]
    file: File
    root: str | None
    texts_only: bool = False

    @property
    def name(self) -> str:
        """The table and the file."""
        return f"{self.table}/{self.file.name}"

    @property
    def version(self) -> str:
        """Of the file."""
        return self.file.version

    def read(self) -> Iterator[Batch]:
        """The rows, in the types of the contract."""
        wanted = (IMAGES if self.table == "images" else VIEWS).names
        places = Places(posixpath.dirname(self.file.path), self.root)
        skipped = Counter[str]()
        for block in until_damage(parquet_blocks(self.file, None, wanted), self.file.path, skipped):
            yield images_batch(block, places) if self.table == "images" else views_batch(block, self.texts_only)
        if skipped:
            yield counted_batch(skipped)


@dataclass(frozen=True)
class ImagesViewsSource:
    """The files of both tables."""

    config: ImagesViewsConfig

    def completed(self) -> ImagesViewsConfig:
        """The config: nothing of it is guessed."""
        return self.config

    def parts(self) -> Sequence[ImagesViewsPart]:
        """A part for each file, images first. Raises UsageError for missing files and columns."""
        if self.config.images is None and self.config.views is None:
            raise UsageError("an images_views source needs `images` or `views`: files of one of the two tables")
        if self.config.texts_only and self.config.images is not None:
            raise UsageError("texts_only makes records without an image: give `views` and no `images`")
        return [*self._parts("images", self.config.images), *self._parts("views", self.config.views)]

    def _parts(
        self, table: Literal["images", "views"], path: str | tuple[str, ...] | None
    ) -> Iterator[ImagesViewsPart]:
        for number, file in enumerate(find_files(path, SUFFIXES) if path is not None else []):
            if number == 0:
                require_names(NEEDED[table], _names(file), file.path)
            yield ImagesViewsPart(table, file, self.config.root, self.config.texts_only)


def images_batch(block: Block, places: Places) -> Batch:
    """Rows of the table images."""
    skipped = Counter[str]()
    columns = {name: _texts(block, name, skipped) for name in ("id", "group", "license", "attribution")}
    for name, form in FORMS.items():
        column = block.column(name)
        if column is not None:
            found, why = pictures(column, form, places)
            skipped.update(why)
            columns[name] = found[name]
    for name in ("offset", "length"):
        column = block.column(name)
        if column is not None:
            columns[name] = as_numbers(column)[0].cast(pa.int64(), safe=False)
    table = pa.table([columns.get(one.name, pa.nulls(len(block), one.type)) for one in IMAGES], schema=IMAGES)
    good = table["id"].is_valid()
    skipped["id: empty"] += len(block) - (pc.sum(good).as_py() or 0)
    somewhere = pc.or_(pc.or_(table["bytes"].is_valid(), table["path"].is_valid()), table["url"].is_valid())
    skipped["row: no image"] += pc.sum(pc.and_(good, pc.invert(somewhere))).as_py() or 0
    return Batch(table.filter(pc.and_(good, somewhere)), VIEWS.empty_table(), +skipped)


def views_batch(block: Block, texts_only: bool = False) -> Batch:
    """Rows of the table views; with `texts_only` their ids are records without an image."""
    skipped = Counter[str]()
    ids, kinds, texts = (_texts(block, name, skipped) for name in ("id", "kind", "text"))
    weights, bad_weight = weights_of(block, ViewMapping(column="text", weight=Column(column="weight")))
    origins = pc.coalesce(_texts(block, "origin", skipped), block.places)
    reasons = {
        "id: empty": ids.is_null(),
        "kind: empty": kinds.is_null(),
        "text: empty": texts.is_null(),
        "kind: not a name": pc.invert(pc.match_substring_regex(pc.fill_null(kinds, ""), KIND)),
        "text: longer than 1 MB": pc.fill_null(pc.greater(pc.binary_length(texts), MAX_TEXT_BYTES), False),
        "weight: not a number of at least 0": bad_weight,
    }
    good = pa.array([True] * len(block), pa.bool_())
    for reason, bad in reasons.items():
        skipped[reason] += pc.sum(pc.and_(good, bad)).as_py() or 0
        good = pc.and_(good, pc.invert(bad))
    languages = language_tags(_texts(block, "lang", skipped))
    table = pa.Table.from_arrays([ids, kinds, texts, languages, weights, origins], schema=VIEWS)
    table = table.filter(good)
    ids = table["id"].unique()
    without_image = pa.table([ids if of.name == "id" else pa.nulls(len(ids), of.type) for of in IMAGES], schema=IMAGES)
    return Batch(IMAGES.empty_table(), table, +skipped, texts_only=without_image if texts_only else None)


def _texts(block: Block, name: str, skipped: Counter[str]) -> pa.Array:
    column = block.column(name)
    if column is None:
        return pa.nulls(len(block), pa.string())
    texts, wrong = as_ids(column) if name in {"id", "group"} else as_texts(column)
    skipped[f"{name}: {fault_of(column)}"] += pc.sum(wrong).as_py() or 0
    return texts


def _names(file: File) -> list[str]:
    schema = read_or_none(file.path, parquet_schema, file)
    if schema is None:
        raise UsageError(f"{file.path} cannot be read as Parquet")
    return list(schema.names)
