"""Inputs: the images of a corpus, a folder, a table or a source, as ids and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus import Corpus
from manyview.corpus.corpus import PACKAGED
from manyview.corpus.location import locate
from manyview.corpus.manifest import MANIFEST
from manyview.corpus.sources.contract import Source
from manyview.corpus.table import encoded_image
from manyview.errors import DataError, UsageError
from manyview.imaging import READABLE_SUFFIXES, image_files

__all__ = ["images_at", "images_of_corpus", "images_of_folder", "images_of_source", "images_of_table"]

_ROWS_AT_ONCE = 64


def images_at(path: str | Path) -> Iterator[tuple[str, bytes]]:
    """The images of a corpus, of a Parquet file, or below a folder, whichever is there. Raises UsageError.

    What is listed but cannot be read comes with no bytes, so that it is counted.
    """
    place = Path(path)
    if str(path) in PACKAGED or (place / MANIFEST).is_file():
        return images_of_corpus(Corpus.open(path))
    if place.is_dir():
        return images_of_folder(place)
    if place.is_file():
        return images_of_table(place)
    raise UsageError(f"no images at {path}: give a corpus, a Parquet file with the columns id and bytes, or a folder")


def images_of_corpus(corpus: Corpus) -> Iterator[tuple[str, bytes]]:
    """Every image of every split, under its record's id; records without an image are passed over."""
    for split in corpus.splits:
        for block in corpus.blocks(split):
            for row in corpus.read(block, ["id", "image"]).to_pylist():
                if (image := encoded_image(row["image"])) is not None:
                    yield row["id"], image


def images_of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every image file below a folder, also of formats that are not read, in the order of the paths: the ids."""
    names = image_files(folder)
    if not names:
        raise UsageError(f"no images in {folder}, allowed: {', '.join(READABLE_SUFFIXES)}")
    for name in names:
        yield name, _read(folder / name)


def images_of_table(file: Path, id: str = "id", image: str = "bytes") -> Iterator[tuple[str, bytes]]:
    """The rows of a Parquet file that has such columns; "image" of the Hugging Face layout is taken too."""
    try:
        with pq.ParquetFile(file) as table:
            names = set(table.schema_arrow.names)
            column = image if image in names else "image"
            if missing := [name for name in (id, column) if name not in names]:
                raise UsageError(f"{file} has no column {missing}, only {sorted(names)}")
            for batch in table.iter_batches(_ROWS_AT_ONCE, columns=[id, column]):
                for row in batch.to_pylist():
                    yield str(row[id]), _bytes_of(row[column])
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged or no Parquet file: {' '.join(str(error).split())}") from error


def images_of_source(source: Source) -> Iterator[tuple[str, bytes]]:
    """The images of every part of a source; one known only by its URL comes with no bytes."""
    for part in source.parts():
        for batch in part.read():
            for row in batch.images.to_pylist():
                yield row["id"], row["bytes"] or _piece(row)


def _piece(row: dict[str, Any]) -> bytes:
    if row["path"] is None:
        return b""
    try:
        with locate(row["path"]).open("rb") as opened:
            opened.seek(row["offset"] or 0)
            return bytes(opened.read(-1 if row["length"] is None else row["length"]))
    except (OSError, ValueError):
        return b""


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""


def _bytes_of(cell: Any) -> bytes:
    return (cell.get("bytes") if isinstance(cell, dict) else cell) or b""
