"""WebDataset: samples in tars, as img2dataset writes them, read where they lie."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
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
from manyview.corpus.sources.mapping import RowMapping, ViewMapping, with_fields
from manyview.corpus.sources.pictures import Places
from manyview.corpus.sources.samples import (
    IMAGE_SUFFIXES,
    TEXT_SUFFIXES,
    OpenSamples,
    Sample,
    UnreadSuffixes,
    compound_suffixes,
    split_name,
)
from manyview.corpus.sources.table_rows import chunks
from manyview.corpus.sources.tar import Archive, LocalArchive, Member, StreamedArchive, members
from manyview.errors import UsageError

__all__ = ["IMAGE_SUFFIXES", "WebDatasetConfig", "WebDatasetPart", "WebDatasetSource", "complete_webdataset"]

SUFFIXES = (".tar", ".tgz")
MAX_SIDECAR_BYTES = 16 << 20
MAX_STREAMED_BYTES = 256 << 20
SAMPLED = 20
SAMPLED_MEMBERS = 200


class WebDatasetConfig(RowMapping):
    """Tars of samples: members with one name and several suffixes. Columns are `__key__`, the suffixes of
    text members (`txt`) and the fields of a `.json` member; `image` is the suffix of the image, by default
    the first that is one. A suffix with a point in it (`left.png`) is one if the mapping names it.
    """

    type: Literal["webdataset"] = "webdataset"
    path: str | tuple[str, ...] = Field(description=".tar files, also compressed, here or scheme://")


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
            samples, unread, sample = OpenSamples(skipped), UnreadSuffixes(skipped), None
            named = frozenset(self.config.columns())
            images, texts = self._images(), named.union(TEXT_SUFFIXES)
            for member in members(archive, skipped):
                stem, key, suffix = split_name(member.name, named)
                if suffix not in texts and suffix not in images:
                    self._pass_over(suffix, unread)
                    continue
                if sample is None or key != sample.row["__key__"] or suffix in sample.suffixes:
                    sample, finished = samples.turn(stem, key, suffix)
                    yield from finished
                    if sample is None:
                        continue
                sample.suffixes.append(suffix)
                if suffix in images:
                    _add_image(sample, member, archive, skipped)
                else:
                    _add_text(sample, suffix, member, archive, skipped)
            yield from samples.rest()

    def _images(self) -> Sequence[str]:
        """The suffixes of images that are taken."""
        return IMAGE_SUFFIXES if self.config.image is None else (self.config.image.column,)

    def _pass_over(self, suffix: str, unread: UnreadSuffixes) -> None:
        """Images that the mapping does not ask for are nothing to speak of."""
        if suffix not in IMAGE_SUFFIXES:
            unread.count(suffix)

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
    skipped = Counter[str]()
    for file in files:
        names = _names(WebDatasetPart(config, file), skipped)
        if names:
            config = _guessed(config, file, names) if config.views is None else config
            names = _names(WebDatasetPart(config, file), Counter())
            return completed(config, _schema(names), file.path, has_image=True)
    why = "".join(f"; {reason} ({count:,})" for reason, count in skipped.most_common(5))
    raise UsageError(f"{files[0].path} holds no samples: members such as 0001.jpg, 0001.txt and 0001.json{why}")


def _guessed(config: WebDatasetConfig, file: File, names: Sequence[str]) -> WebDatasetConfig:
    """The config with views by the names of columns, and by suffixes with points as WebDataset's own examples use."""
    image, texts = ("", ()) if config.image is not None else compound_suffixes(_member_names(file))
    if image:
        config = with_fields(config, {"image": image})
    if not texts:
        return completed(config, _schema(_guessable(names)), file.path, has_image=True)
    probe = with_fields(config, {"views": {"caption": texts}})
    others = [name for name in _names(WebDatasetPart(probe, file), Counter()) if name not in texts]
    config = completed(config, _schema(_guessable(others)), file.path, has_image=True)
    views = config.views or {}
    captions = (*views.get("caption", ()), *(ViewMapping(column=text) for text in texts))
    return with_fields(config, {"views": {**views, "caption": captions}})


def _member_names(file: File) -> list[str]:
    """The names of the first members of a tar, as far as it can be read."""
    with open_stream(file.path) as stream:
        found = members(StreamedArchive(stream), Counter())
        return [member.name for member in until_damage(islice(found, SAMPLED_MEMBERS), file.path, Counter())]


def _guessable(names: Sequence[str]) -> list[str]:
    """Without what says twice the same, and without the key, which other tars may use for other samples."""
    said_twice = {"caption"} if "txt" in names else set()
    return [name for name in names if name not in {"__key__", *said_twice}]


def _schema(names: Sequence[str]) -> pa.Schema:
    return pa.schema([(name, pa.string()) for name in names])


def _names(part: WebDatasetPart, skipped: Counter[str]) -> list[str]:
    samples = list(islice(until_damage(part.samples(skipped), part.file.path, skipped), SAMPLED))
    return list(dict.fromkeys(name for sample in samples for name in (*sample.row, *sample.suffixes)))


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
