"""COCO: captions and objects from the JSON files of COCO, or of Karpathy's splits of it."""

from __future__ import annotations

import math
import posixpath
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from manyview.config import Config
from manyview.corpus.sources.block import Block
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, until_damage
from manyview.corpus.sources.files import File, OneFile, find_files, open_stream
from manyview.corpus.sources.json_arrays import array_elements
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import ImageMapping, RowMapping, ViewMapping
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table_rows import chunks

__all__ = ["CocoConfig", "CocoPart", "CocoSource"]

IDS = ("id", "cocoid", "imgid", "filename")


class CocoConfig(Config):
    """Annotation files, each with `images` and their `annotations`: captions, or objects with `categories`."""

    type: Literal["coco"] = "coco"
    path: str | tuple[str, ...] = Field(description="captions and instances JSON files, here or scheme://")
    images: str | None = Field(
        default=None, description="folder of the image files, which no file name leads out of; default: their coco_url"
    )
    caption: str = Field(default="caption", description="kind of the captions", pattern=r"^[A-Za-z][\w.-]*$")
    tags: str = Field(default="tags", description="kind of the names of objects", pattern=r"^[A-Za-z][\w.-]*$")
    lang: str = Field(default="", description="BCP-47 code of all texts")
    prefix: str = Field(default="", description="put before each id, where two sources use one id for two images")

    def describe(self) -> str:
        """One line a reader can check."""
        image = self.images or "coco_url"
        return f"image <- {image}, {self.caption} <- caption, {self.tags} <- names of objects, largest first"


@dataclass
class Objects:
    """What instances say: for each image the categories with the area they cover."""

    names: dict[str, str] = field(default_factory=dict)
    areas: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, image: str, category: str, area: Any) -> None:
        """One object."""
        covered = self.areas.setdefault(image, {})
        usable = isinstance(area, int | float) and 0 <= area < math.inf
        covered[category] = covered.get(category, 0.0) + (area if usable else 0.0)

    def rows(self, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
        """For each image the names of its objects, the largest first."""
        for image, covered in self.areas.items():
            ordered = sorted(covered, key=lambda category: -covered[category])
            skipped["object: category without a name"] += sum(category not in self.names for category in ordered)
            yield {"id": image, "tags": [self.names[category] for category in ordered if category in self.names]}


@dataclass(frozen=True)
class CocoPart(OneFile):
    """One annotation file."""

    config: CocoConfig
    file: File

    def read(self) -> Iterator[Batch]:
        """The images, the captions as they come, then the objects of each image."""
        skipped = Counter[str]()
        mapping = _mapping(self.config)
        places = Places("", self.config.images)
        for chunk in chunks(self._rows(skipped), lambda row: 64 + len(str(row.get("caption", "")))):
            where = pa.array([f"{self.file.name}:{row['id']}" for row in chunk], pa.string())
            yield mapped(Block.from_rows(chunk, mapping.columns(), where, skipped), mapping, places)
        if +skipped:
            yield counted_batch(skipped)

    def _rows(self, skipped: Counter[str]) -> Iterator[dict[str, Any]]:
        """A row for each image, each caption, and each image with objects."""
        objects, licenses = Objects(), dict[str, str]()
        for key, element in until_damage(self._elements(), self.file.path, skipped):
            if isinstance(element, dict):
                yield from self._row(key, element, objects, licenses, skipped)
        yield from objects.rows(skipped)

    def _elements(self) -> Iterator[tuple[str, Any]]:
        with open_stream(self.file.path) as stream:
            yield from array_elements(stream)

    def _row(
        self,
        key: str,
        element: dict[str, Any],
        objects: Objects,
        licenses: dict[str, str],
        skipped: Counter[str],
    ) -> Iterator[dict[str, Any]]:
        if key == "images":
            yield self._image(element, licenses)
        elif key == "annotations" and "caption" in element:
            yield {"id": _key(element.get("image_id")), "caption": element["caption"]}
        elif key == "annotations" and "category_id" in element:
            image, category = _key(element.get("image_id")), _key(element["category_id"])
            if image is None or category is None:
                skipped["annotation: no image_id or category_id"] += 1
            else:
                objects.add(image, category, element.get("area"))
        elif key == "annotations":
            skipped["annotation: neither caption nor category"] += 1
        elif key == "categories" and isinstance(element.get("name"), str):
            objects.names[_key(element.get("id")) or ""] = element["name"]
        elif key == "licenses" and isinstance(element.get("name"), str):
            licenses[_key(element.get("id")) or ""] = element["name"]

    def _image(self, element: dict[str, Any], licenses: dict[str, str]) -> dict[str, Any]:
        """An image of COCO's, or of Karpathy's (cocoid, filepath, filename and sentences)."""
        file = element.get("file_name") or element.get("filename")
        if isinstance(file, str) and isinstance(element.get("filepath"), str):
            file = posixpath.join(element["filepath"], file)
        sentences = element.get("sentences")
        return {
            "id": next((key for name in IDS if (key := _key(element.get(name))) is not None), None),
            "image": file if self.config.images is not None else element.get("coco_url") or element.get("flickr_url"),
            "license": licenses.get(_key(element.get("license")) or ""),
            "captions": [one.get("raw") for one in sentences if isinstance(one, dict)]
            if isinstance(sentences, list)
            else None,
        }


@dataclass(frozen=True)
class CocoSource:
    """The annotation files."""

    config: CocoConfig

    def parts(self) -> Sequence[CocoPart]:
        """A part for each file. Raises UsageError for missing files."""
        return [CocoPart(self.config, file) for file in find_files(self.config.path, (".json",))]

    def completed(self) -> CocoConfig:
        """The config: nothing of it is guessed."""
        return self.config


def _mapping(config: CocoConfig) -> RowMapping:
    captions = tuple(ViewMapping(column=column, lang=config.lang) for column in ("caption", "captions"))
    views = {config.caption: captions}
    views[config.tags] = (*views.get(config.tags, ()), ViewMapping(column="tags", lang=config.lang))
    image = ImageMapping(column="image", form="url" if config.images is None else "path")
    return RowMapping(id="id", image=image, license="license", views=views, prefix=config.prefix)


def _key(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
