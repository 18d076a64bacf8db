"""Gather: the views of all sources laid beside the images they speak of, by parts that fit in memory."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus.clicks.columns import Ints
from manyview.corpus.clicks.spill import part_of_texts, read_part, write_spill
from manyview.corpus.clicks.stages import Result, Run, in_turn, stage
from manyview.corpus.location import locate, open_parquet
from manyview.corpus.sources.contract import VIEWS
from manyview.errors import UsageError

__all__ = ["SAID", "GatherReport", "check_images", "gather"]

SAID = pa.list_(pa.struct([field for field in VIEWS if field.name != "id"]))

_BATCH_BYTES = 64 << 20
_BATCH_ROWS = 1 << 18
_PART_BYTES = 32 << 20  # of Parquet files as they stand
_MAX_PARTS = 4096


@dataclass(frozen=True)
class GatherReport:
    """Rows of images, views that stand beside them, and views that speak of no image in the table."""

    images: int
    views: int
    homeless: int
    without_id: int


@dataclass(frozen=True)
class _Chunk:
    file: str
    row_groups: tuple[int, ...]


def gather(
    views: Sequence[str], images: str, out: Path, work: Path, run: Run = in_turn, *, parts: int | None = None
) -> GatherReport:
    """Write gathered-*.parquet: each row of the images with all its columns and `views`, a list of what is said.

    `views` are globs of Parquet files that have the columns of VIEWS, `images` is one of files with a column
    `id`. A row is in the file that the hash of its id says, sorted by id; rows with one id all have its views.
    The views are sorted by kind, -weight, text, origin. `work` may grow to the size of the tables, is used
    again when the same call was killed, and is empty afterwards. Raises UsageError.
    """
    tables = {"views": [file for glob in views for file in _files(glob)], "images": _files(images)}
    schemas = {"views": VIEWS, "images": _schema(tables["images"])}
    parts = parts or _parts([file for files in tables.values() for file in files])
    folder = work / _fingerprint(tables, parts)
    finished = folder / "gathered"
    finished.mkdir(parents=True, exist_ok=True)
    spills, lost = dict[str, list[Path]](), 0
    for kind, files in tables.items():
        chunks = [chunk for file in files for chunk in _chunks(file, schemas[kind])]
        units = stage(
            kind, folder, _scatter, [(c, schemas[kind], folder, f"{kind}-{i:06d}", parts) for i, c in enumerate(chunks)]
        )
        results = list(run(units))
        spills[kind] = [folder / name for result in results for name in result["spills"]]
        lost += sum(result["without_id"] for result in results)
    joins = [(spills, schemas["images"], part, finished) for part in range(parts)]
    results = list(run(stage("join", folder, _join, joins)))
    _take_place(finished, out)
    shutil.rmtree(folder)
    total = {name: sum(result[name] for result in results) for name in ("images", "views", "homeless")}
    return GatherReport(**total, without_id=lost)


def check_images(images: str) -> None:
    """Raise UsageError for a glob of images that `gather` would refuse."""
    _schema(_files(images))


def _files(glob: str) -> list[str]:
    place = locate(glob)
    if isinstance(place, Path):
        found = (
            [place] if place.is_file() else list(Path(place.anchor or ".").glob(str(place.relative_to(place.anchor))))
        )
        files = sorted(str(file) for file in found if file.is_file())
    else:
        files = sorted(place.fs.unstrip_protocol(file) for file in place.fs.glob(place.path))
    if not files:
        raise UsageError(f"{glob} matches no file, allowed: a glob of Parquet files")
    return files


def _schema(files: Sequence[str]) -> pa.Schema:
    """That of the first file; the others must have its columns."""
    with open_parquet(locate(files[0])) as opened:
        schema = opened.schema_arrow.remove_metadata()
    if "id" not in schema.names:
        raise UsageError(f"{files[0]} has no column 'id' but {', '.join(schema.names)}")
    if "views" in schema.names:
        raise UsageError(f"{files[0]} already has a column 'views', which gathering would make")
    return schema.set(schema.get_field_index("id"), pa.field("id", pa.string()))


def _parts(files: Sequence[str]) -> int:
    """A power of two that leaves each part about 32 MB of the files."""
    total = sum(locate(file).stat().st_size for file in files)
    return min(1 << max(0, -(-total // _PART_BYTES) - 1).bit_length(), _MAX_PARTS)


def _fingerprint(tables: dict[str, list[str]], parts: int) -> str:
    stats = {file: locate(file).stat() for files in tables.values() for file in files}
    sizes = [(file, of.st_size, getattr(of, "st_mtime", 0)) for file, of in stats.items()]
    return hashlib.sha256(repr((tables, sizes, parts)).encode()).hexdigest()[:16]


def _chunks(file: str, schema: pa.Schema) -> Iterator[_Chunk]:
    """Row groups of a file, about 64 MB together."""
    with open_parquet(locate(file)) as opened:
        missing = [name for name in schema.names if name not in opened.schema_arrow.names]
        if missing:
            raise UsageError(f"{file} has no column {missing[0]!r}, needed: {', '.join(schema.names)}")
        sizes = [opened.metadata.row_group(i).total_byte_size for i in range(opened.metadata.num_row_groups)]
    groups, size = list[int](), 0
    for group, bytes_ in enumerate(sizes):
        if groups and size + bytes_ > _BATCH_BYTES:
            yield _Chunk(file, tuple(groups))
            groups, size = [], 0
        groups.append(group)
        size += bytes_
    if groups:
        yield _Chunk(file, tuple(groups))


def _scatter(chunk: _Chunk, schema: pa.Schema, folder: Path, name: str, parts: int) -> Result:
    spills, lost = list[str](), 0
    with open_parquet(locate(chunk.file)) as opened:
        rows = _rows_at_once(opened, chunk)
        for i, batch in enumerate(opened.iter_batches(rows, chunk.row_groups, schema.names, use_threads=False)):
            table = pa.Table.from_batches([batch]).select(schema.names).cast(schema)
            with_id = table.filter(table["id"].is_valid())
            lost += table.num_rows - with_id.num_rows
            spills.append(f"{name}-{i:06d}.arrow")
            ids = with_id["id"].combine_chunks()
            write_spill(folder / spills[-1], with_id, part_of_texts(ids, parts), parts)
    return {"spills": spills, "without_id": lost}


def _rows_at_once(opened: pq.ParquetFile, chunk: _Chunk) -> int:
    """So few that they take 64 MB, as where images' bytes are among the columns."""
    groups = [opened.metadata.row_group(i) for i in chunk.row_groups]
    size = sum(int(group.total_byte_size) for group in groups)
    rows = sum(int(group.num_rows) for group in groups)
    return min(_BATCH_ROWS, max(1, rows * _BATCH_BYTES // max(size, 1)))


def _join(spills: dict[str, list[Path]], schema: pa.Schema, part: int, out: Path) -> Result:
    images, views = read_part(spills["images"], part, schema), read_part(spills["views"], part, VIEWS)
    images = images.take(pc.sort_indices(images["id"]))  # which is stable
    views = views.take(_order(views))
    starts, ends, homes = _ranges(images["id"], views["id"])
    rows = _runs(starts, ends)
    said = views.drop(["id"]).take(pa.array(rows)).to_struct_array().combine_chunks()
    if isinstance(said, pa.ChunkedArray):
        said = said.chunk(0) if said.num_chunks else pa.array([], SAID.value_type)
    offsets = np.concatenate([[0], np.cumsum(ends - starts)])
    listed = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), said).cast(SAID)
    _write(out / f"gathered-{part:06d}.parquet", images.append_column("views", listed))
    return {"images": images.num_rows, "views": len(rows), "homeless": views.num_rows - homes}


def _order(views: pa.Table) -> pa.Array:
    heavier = pc.negate(pc.fill_null(views["weight"], 1.0))
    keys = views.select(["id", "kind", "text", "origin"]).append_column("lighter", heavier)
    return pc.sort_indices(keys, [(name, "ascending") for name in ("id", "kind", "lighter", "text", "origin")])


def _ranges(images: pa.ChunkedArray, views: pa.ChunkedArray) -> tuple[Ints, Ints, int]:
    """For each image where its views begin and end, and how many views have an image; both are sorted."""
    of_image = images.combine_chunks().dictionary_encode()
    of_view = pc.index_in(views, of_image.dictionary).fill_null(-1)
    code = np.asarray(of_view).astype(np.int64)
    at = np.flatnonzero(code >= 0)
    image = np.asarray(of_image.indices).astype(np.int64)
    first = np.searchsorted(code[at], image, side="left")
    last = np.searchsorted(code[at], image, side="right")
    starts = np.append(at, 0)[first]
    return starts, np.where(last > first, starts + last - first, starts), len(at)


def _runs(starts: Ints, ends: Ints) -> Ints:
    """The numbers of all the ranges, one range after the other."""
    lengths = ends - starts
    before = np.cumsum(lengths) - lengths
    numbers: Ints = np.arange(lengths.sum()) + np.repeat(starts - before, lengths)
    return numbers


def _write(path: Path, table: pa.Table) -> None:
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    pq.write_table(table, unfinished, compression="zstd", row_group_size=_BATCH_ROWS)
    unfinished.replace(path)


def _take_place(finished: Path, out: Path) -> None:
    others = [file for file in out.iterdir() if not file.name.startswith("gathered-")] if out.exists() else []
    if others:
        raise UsageError(f"{out} holds other files, allowed: a new or empty folder")
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(finished, out)
