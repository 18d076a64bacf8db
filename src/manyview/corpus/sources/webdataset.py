"""WebDataset: samples in tars, as img2dataset writes them, read where they lie."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Literal

import pyarrow as pa
from pydantic import Field
from pydantic_core import from_json

from manyview.corpus.sources.block import Block
from manyview.corpus.sources.contract import Batch
from manyview.corpus.sources.damage import counted_batch, until_damage
from manyview.corpus.sources.detect import completed
from manyview.corpus.sources.files import File, OneFile, compression_of, find_files, is_remote, open_stream
from manyview.corpus.sources.mapped import mapped
from manyview.corpus.sources.mapping import RowMapping, with_fields
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.table_rows import chunks
from manyview.corpus.sources.tar import Archive, LocalArchive, Member, StreamedArchive, members
from manyview.errors import UsageError

__all__ = ["IMAGE_SUFFIXES", "WebDatasetConfig", "WebDatasetPart", "WebDatasetSource", "complete_webdataset"]

SUFFIXES = (".tar", ".tgz")
IMAGE_SUFFIXES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif")
TEXTS = ("txt", "text", "caption", "cls")
MAX_SIDECAR_BYTES = 16 << 20
MAX_STREAMED_BYTES = 256 << 20
SAMPLED = 20


class WebDatasetConfig(RowMapping):
    """Tars of samples: members with one name and several suffixes. Columns are `__key__`, the suffixes of
    text members (`txt`) and the fields of a `.json` member; `image` is the suffix of the image, by default
    the first that is one.
    """

    type: Literal["webdataset"] = "webdataset"
    path: str | tuple[str, ...] = Field(description=".tar files, also compressed, here or scheme://")


@dataclass(slots=True)
class Sample:
    """The members of one name."""

    row: dict[str, Any]
    image: Member | None = None
    data: bytes | None = None
    size: int = 0
    suffixes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class WebDatasetPart(OneFile):
    """One tar. From a local one only places are read of the images, from others their bytes."""

    config: WebDatasetConfig
    file: File

    def read(self) -> Iterator[Batch]:
        """The samples as images and views, up to the end of the tar or to the first damage."""
        skipped = Counter[str]()
        mapping = with_fields(self.config, {"image": None})
        whole = until_damage(self.samples(skipped), self.file.path, skipped)
        for samples in chunks(whole, lambda sample: sample.size):
            yield mapped(self._block(samples, skipped), mapping, Places(""))
        if +skipped:
            yield counted_batch(skipped)

    def samples(self, skipped: Counter[str]) -> Iterator[Sample]:
        """The samples in order."""
        with open_stream(self.file.path) as stream:
            local = not is_remote(self.file.path) and not compression_of(self.file.path)
            archive: Archive = LocalArchive(stream) if local else StreamedArchive(stream)
            sample = None
            for member in members(archive, skipped):
                key, suffix = _key_and_suffix(member.name)
                if not suffix:
                    skipped["tar: name without a suffix"] += 1
                    continue
                if sample is None or key != sample.row["__key__"]:
                    if sample is not None:
                        yield sample
                    sample = Sample({"__key__": key})
                self._add(sample, suffix, member, archive, skipped)
            if sample is not None:
                yield sample

    def _add(self, sample: Sample, suffix: str, member: Member, archive: Archive, skipped: Counter[str]) -> None:
        image = self.config.image
        sample.suffixes.append(suffix)
        if suffix == image.column if image is not None else suffix in IMAGE_SUFFIXES:
            _add_image(sample, member, archive, skipped)
        elif suffix in TEXTS or suffix == "json":
            _add_text(sample, suffix, member, archive, skipped)

    def _block(self, samples: Sequence[Sample], skipped: Counter[str]) -> Block:
        path = self.file.path
        pointed = [sample.image for sample in samples]
        images = {
            "path": pa.array([None if image is None else path for image in pointed], pa.string()),
            "offset": pa.array([None if image is None else image.offset for image in pointed], pa.int64()),
            "length": pa.array([None if image is None else image.length for image in pointed], pa.int64()),
            "bytes": pa.array([sample.data for sample in samples], pa.binary()),
        }
        places = pa.array([f"{self.file.name}/{sample.row['__key__']}" for sample in samples], pa.string())
        rows = [sample.row for sample in samples]
        return Block.from_rows(rows, self.config.columns(), places, skipped, images=images, ids=places)


@dataclass(frozen=True)
class WebDatasetSource:
    """Tars of samples."""

    config: WebDatasetConfig

    def parts(self) -> Sequence[WebDatasetPart]:
        """A part for each tar. Raises UsageError for missing files and fields."""
        files = find_files(self.config.path, SUFFIXES)
        config = complete_webdataset(self.config, files)
        return [WebDatasetPart(config, file) for file in files]

    def completed(self) -> WebDatasetConfig:
        """The config with its fields guessed where it names none. Raises UsageError."""
        return complete_webdataset(self.config, find_files(self.config.path, SUFFIXES))


def complete_webdataset(config: WebDatasetConfig, files: Sequence[File]) -> WebDatasetConfig:
    """The config with its fields guessed from the first samples where it names none. Raises UsageError."""
    for file in files:
        names = _names(WebDatasetPart(config, file))
        if names:
            if config.views is None:
                config = completed(config, _schema(_guessable(names)), file.path, has_image=True)
            return completed(config, _schema(names), file.path, has_image=True)
    raise UsageError(f"{files[0].path} holds no samples: members such as 0001.jpg, 0001.txt and 0001.json")


def _guessable(names: Sequence[str]) -> list[str]:
    """Without what says twice the same, and without the key, which other tars may use for other samples."""
    said_twice = {"caption"} if "txt" in names else set()
    return [name for name in names if name not in {"__key__", *said_twice}]


def _schema(names: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _names(part: WebDatasetPart) -> list[str]:
    samples = list(islice(until_damage(part.samples(Counter()), part.file.path, Counter()), SAMPLED))
    return list(dict.fromkeys(name for sample in samples for name in (*sample.row, *sample.suffixes)))


def _key_and_suffix(name: str) -> tuple[str, str]:
    """`a/b.tar.gz` is `tar.gz` of `a/b`; a name that begins or ends with its only point has no suffix."""
    folder, slash, last = name.rpartition("/")
    first, _, suffix = last.partition(".")
    return folder + slash + first, suffix.lower() if first else ""


def _add_image(sample: Sample, member: Member, archive: Archive, skipped: Counter[str]) -> None:
    if sample.image is not None or sample.data is not None:
        skipped["tar: second image of a sample"] += 1
    elif isinstance(archive, LocalArchive):
        sample.image = member
    elif member.length > MAX_STREAMED_BYTES:
        skipped["image: larger than 256 MB"] += 1
    else:
        data = archive.take(member.offset, member.length)
        if len(data) == member.length:
            sample.data = data
            sample.size += len(data)


def _add_text(sample: Sample, suffix: str, member: Member, archive: Archive, skipped: Counter[str]) -> None:
    if member.length > MAX_SIDECAR_BYTES:
        skipped["text: longer than 16 MB"] += 1
        return
    data = archive.take(member.offset, member.length)
    sample.size += len(data)
    if len(data) < member.length:
        return
    try:
        told = data.removeprefix(BOM_UTF8)
        if suffix == "json":
            sample.row = _json_fields(told) | sample.row
        else:
            sample.row[suffix] = told.decode()
    except UnicodeDecodeError:
        skipped["text: not UTF-8"] += 1
    except (ValueError, RecursionError):
        skipped["sidecar: not JSON"] += 1


def _json_fields(data: bytes) -> dict[str, Any]:
    """The fields of an object by name, and the whole as `json`."""
    try:
        found = from_json(data, cache_strings="keys")
    except ValueError:
        found = json.loads(data.decode())  # which also takes lone surrogates
    return {**found, "json": found} if isinstance(found, dict) else {"json": found}
