"""Folder: image files with sidecars beside them (photo.jpg, photo.txt, photo.json)."""

from __future__ import annotations

import hashlib
import json
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field

from manyview.corpus.location import locate
from manyview.corpus.sources.block import Block, row_places
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, read_or_none
from manyview.corpus.sources.detect import completed
from manyview.corpus.sources.files import File, find_files, is_utf8, list_folder
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import RowMapping, with_fields
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table_rows import chunks
from manyview.imaging import IMAGE_SUFFIXES

__all__ = ["IMAGE_SUFFIXES", "SIDECARS", "FolderConfig", "FolderPart", "FolderSource", "complete_folder"]

SIDECARS = (".txt", ".json")
PART_FILES = 4096
MAX_SIDECAR_BYTES = 16 << 20
SAMPLED = 50
NOT_UTF8 = "image: name that is not UTF-8"


class FolderConfig(RowMapping):
    """Image files. Columns are `file` (the path below the folder), `stem` (without folder and suffix), `folder`
    (the name of the sub-folder it lies in), `txt` (photo.txt or photo.jpg.txt) and the fields of photo.json.
    """

    type: Literal["folder"] = "folder"
    path: str | tuple[str, ...] = Field(description="a folder of images, a glob or several, here or scheme://")


@dataclass(frozen=True)
class Picture:
    """An image file with its sidecars."""

    image: File
    sidecars: tuple[File, ...]


@dataclass(frozen=True)
class FolderPart:
    """Up to PART_FILES images that follow one another by name."""

    config: FolderConfig
    pictures: tuple[Picture, ...]

    @property
    def name(self) -> str:
        """The first image."""
        return self.pictures[0].image.name

    @property
    def version(self) -> str:
        """A digest of the names and versions of all files."""
        digest = hashlib.blake2b(digest_size=16)
        for picture in self.pictures:
            for file in (picture.image, *picture.sidecars):
                digest.update(f"{file.name}\0{file.version}\0".encode("utf-8", "surrogatepass"))
        return digest.hexdigest()

    def read(self) -> Iterator[Batch]:
        """The images by their paths, with what the sidecars say."""
        called = [picture for picture in self.pictures if is_utf8(picture.image.path)]
        skipped = Counter({NOT_UTF8: len(self.pictures) - len(called)})
        rows = ((picture, picture_row(picture, skipped)) for picture in called)
        for chunk in chunks(rows, lambda one: sum(file.size for file in one[0].sidecars)):
            paths = pa.array([picture.image.path for picture, _ in chunk], pa.string())
            names = pa.array([picture.image.name for picture, _ in chunk], pa.string())
            block = Block.from_rows(
                [row for _, row in chunk],
                self.config.columns(),
                names,
                skipped,
                images={"path": paths},
                ids=names,
            )
            yield mapped(block, self.config, Places(""))
        if +skipped:
            yield counted_batch(skipped)


@dataclass(frozen=True)
class FolderSource:
    """Image files with sidecars."""

    config: FolderConfig

    def parts(self) -> Sequence[FolderPart]:
        """Parts of PART_FILES images. Raises UsageError when there is no image or a column is missing."""
        pictures = find_pictures(self.config)
        config = complete_folder(self.config, pictures)
        starts = range(0, len(pictures), PART_FILES)
        return [FolderPart(config, tuple(pictures[start : start + PART_FILES])) for start in starts]

    def completed(self) -> FolderConfig:
        """The config with its columns guessed where it names none. Raises UsageError."""
        return complete_folder(self.config, find_pictures(self.config))


def find_pictures(config: FolderConfig) -> list[Picture]:
    """The images by path, each with its sidecars."""
    images = find_files(config.path, IMAGE_SUFFIXES, unreadable=True)
    images = [image for image in images if image.path.lower().endswith(IMAGE_SUFFIXES)]
    folders = dict.fromkeys(posixpath.dirname(image.path) for image in images)
    beside = {file.path: file for folder in folders for file in list_folder(folder, SIDECARS)}
    return [Picture(image, tuple(_sidecars(image, beside))) for image in images]


def complete_folder(config: FolderConfig, pictures: Sequence[Picture]) -> FolderConfig:
    """The config with its columns guessed from the first sidecars where it names none. Raises UsageError.

    Without any sidecar the names of sub-folders are taken for categories.
    """
    with_texts = islice((picture for picture in pictures if picture.sidecars), SAMPLED)
    rows = [picture_row(picture, Counter()) for picture in with_texts]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["file", "stem", "folder", "txt"]
    if config.views is None and not rows and all("/" in picture.image.name for picture in pictures):
        config = with_fields(config, {"views": {"category": "folder"}})
    schema = pa.schema([(name, pa.string()) for name in names])
    where = posixpath.dirname(pictures[0].image.path)
    return completed(config, schema, where, has_image=True, sample=partial(_block_of, rows))


def _block_of(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> Block:
    return Block.from_rows(rows, columns, row_places("", range(len(rows))), Counter())


def picture_row(picture: Picture, skipped: Counter[str]) -> dict[str, Any]:
    """What is known of an image besides its pixels."""
    name = picture.image.name
    row: dict[str, Any] = {
        "file": name,
        "stem": posixpath.splitext(posixpath.basename(name))[0],
        "folder": posixpath.basename(posixpath.dirname(name)) or None,
    }
    for sidecar in picture.sidecars:
        if sidecar.size > MAX_SIDECAR_BYTES:
            skipped["text: longer than 16 MB"] += 1
        else:
            row |= _said(sidecar, skipped)
    return row


def _sidecars(image: File, beside: dict[str, File]) -> Iterable[File]:
    stems = (posixpath.splitext(image.path)[0], image.path)
    return (beside[stem + suffix] for suffix in SIDECARS for stem in stems if stem + suffix in beside)


def _said(sidecar: File, skipped: Counter[str]) -> dict[str, Any]:
    data = read_or_none(sidecar.path, locate(sidecar.path).read_bytes) or b""
    try:
        text = data.decode("utf-8-sig")
        if sidecar.path.lower().endswith(".txt"):
            return {"txt": text}
        found = json.loads(text)
        return {**found, "json": found} if isinstance(found, dict) else {"json": found}
    except UnicodeDecodeError:
        skipped["text: not UTF-8"] += 1
    except (ValueError, RecursionError):
        skipped["sidecar: not JSON"] += 1
    return {}
