"""Write: one shard of a corpus, and beside it where everything in it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus.builder.config import EncodingConfig
from manyview.corpus.builder.earlier import PROVENANCE, provenance_file
from manyview.corpus.builder.encode import encoded_anew
from manyview.corpus.builder.landing import landing, read_json, write_json
from manyview.corpus.builder.pointed import PointedBytes
from manyview.corpus.builder.score_filter import ScoreFilter
from manyview.corpus.builder.shard_plan import ShardPlan
from manyview.corpus.builder.staged import IMAGES, VIEWS
from manyview.corpus.builder.tables import read_tables
from manyview.corpus.cleaning.boilerplate import Boilerplate
from manyview.corpus.fingerprint import image_identity
from manyview.corpus.shard import SCHEMA, TEXTS_ONLY_BYTES, shard_writer
from manyview.corpus.shard_counts import ShardCounts
from manyview.corpus.table import IMAGE_TYPE, NO_IMAGE_HASH, TEXT_TYPE
from manyview.errors import DataError

if TYPE_CHECKING:
    from manyview.corpus.location import Location

__all__ = ["ShardTask", "WrittenShard", "write_shard"]

SILENT = "image: too few texts say anything about it"
WITHOUT_ANYTHING = "record: neither an image nor enough texts"
TWICE = "text: said twice of the image"
_LISTED = pa.schema([field for field in IMAGES if field.name != "draw"] + [("together", pa.string())])
_TEXTS = pa.list_(TEXT_TYPE)
_AT_ONCE = 128 << 10  # stays in the cache between digest and write; and ext4 takes five times as long for 8 MB


@dataclass(frozen=True)
class ShardTask:
    """A shard to write into a corpus."""

    plan: ShardPlan
    number: int
    corpus: Location
    encoding: EncodingConfig
    row_group_bytes: int
    min_texts: int
    boilerplate: Boilerplate | None
    scores: ScoreFilter | None
    done: Path

    @property
    def key(self) -> str:
        """Of the shard among those of its plan."""
        return f"{self.plan.split}-{self.plan.number}"

    @property
    def file(self) -> str:
        """Of the shard, relative to the corpus."""
        return f"data/{self.plan.split}-{self.number:05d}.parquet"


@dataclass(frozen=True)
class WrittenShard:
    """What `manifest.json` says of a shard (none if no record is left), and counts; `listed` are texts of the plan."""

    split: str
    shard: dict[str, Any] | None
    listed: int
    texts: dict[str, int]
    languages: dict[str, int]
    licenses: dict[str, int]
    skipped: dict[str, int]


def write_shard(task: ShardTask) -> WrittenShard:
    """Gather the bytes of a shard's images and write them with their texts; done once, however often it is called.

    The same plan leaves the same bytes. Raises DataError when a file has changed since it was looked at.
    """
    found = read_json(task.done)
    if found is None or not _stands(found["shard"], task.corpus):
        found = asdict(_write(task))
        write_json(task.done, found)
    return WrittenShard(**found)


def _stands(shard: dict[str, Any] | None, corpus: Location) -> bool:
    """Whether a shard is still where it was written, if it was: its corpus may have been replaced since."""
    return shard is None or (corpus / shard["file"]).is_file()


def _write(task: ShardTask) -> WrittenShard:
    images = read_tables(task.plan.images, _LISTED).sort_by([("order", "ascending"), ("id", "ascending")])
    views = read_tables(task.plan.views, VIEWS)
    listed = len(views)
    views, skipped = (views, Counter[str]()) if task.boilerplate is None else task.boilerplate.drop(views)
    if task.scores is not None:
        views, unfit = task.scores.drop(views, task.plan.scores)
        skipped.update(unfit)
    lists, twice = _gathered(images["id"], views)
    skipped[TWICE] = twice
    pictured = images["path"].is_valid()
    least = pc.if_else(pictured, task.min_texts, max(1, task.min_texts))
    enough = pc.greater_equal(lists["texts"].combine_chunks().value_lengths(), least)
    for reason, of_kind in ((SILENT, pictured), (WITHOUT_ANYTHING, pc.invert(pictured))):
        skipped[reason] = pc.sum(pc.and_(of_kind, pc.invert(enough))).as_py() or 0
    images, lists = images.filter(enough), lists.filter(enough)
    said = lists["texts"].combine_chunks().flatten()
    return WrittenShard(
        split=task.plan.split,
        shard=_write_files(task, images, lists) if len(images) else None,
        listed=listed,
        texts=_counted(pc.struct_field(said, "kind")),
        languages=_counted(pc.struct_field(said, "lang")),
        licenses=_counted(images["license"]),
        skipped=dict(+skipped),
    )


def _gathered(ids: pa.ChunkedArray, views: pa.Table) -> tuple[pa.Table, int]:
    """For each id its texts, in the order of the sources, each once, and their origins; and how many were repeated."""
    row = pc.index_in(views["id"], ids.combine_chunks()).to_numpy()
    kind = views["kind"].combine_chunks().dictionary_encode().indices.to_numpy()
    place, said = views["place"].to_numpy(), views["said"].to_numpy()
    order = np.lexsort((place, said, kind, row))
    keys = [column[order] for column in (row, kind, said)]
    again = np.zeros(len(order), bool)
    again[1:] = np.logical_and.reduce([column[1:] == column[:-1] for column in keys])
    kept = np.sort(order[~again])
    kept = kept[np.lexsort((place[kept], row[kept]))]
    ends = np.cumsum(np.bincount(row[kept], minlength=len(ids)))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    texts = views.take(pa.array(kept)).combine_chunks()
    struct = pa.StructArray.from_arrays([_flat(texts[field.name]) for field in TEXT_TYPE], fields=list(TEXT_TYPE))
    lists = [pa.ListArray.from_arrays(offsets, column) for column in (struct, _flat(texts["origin"]))]
    return pa.table({"texts": lists[0], "text_origins": lists[1]}), int(again.sum())


def _write_files(task: ShardTask, images: pa.Table, lists: pa.Table) -> dict[str, Any]:
    """Both files; what the manifest says of the shard."""
    file = task.corpus / task.file
    counts = ShardCounts()
    with PointedBytes() as pointed, landing(file) as handle:
        hashing = _Hashing(handle)
        with shard_writer(pa.PythonFile(hashing, mode="w"), compress_images=False) as writer:
            for start, stop in _row_groups(images["length"], lists, task.row_group_bytes):
                part, said = images.slice(start, stop - start), lists.slice(start, stop - start)
                rows = _rows(part, said, pointed, task.encoding)
                writer.write_table(rows, row_group_size=stop - start)
                counts.add(rows)
                del rows  # or the next row group is laid into other memory, which costs a tenth of the writing
    with landing(task.corpus / provenance_file(task.file)) as handle:
        pq.write_table(_provenance(images, lists), handle, compression="zstd")
    digest = hashing.digest.hexdigest()
    written = {"file": task.file, "records": len(images), "bytes": hashing.bytes, "sha256": digest}
    return {**written, **counts.entries()}


class _Hashing:
    """A writable file that knows the digest of what went through it."""

    def __init__(self, handle: Any) -> None:
        self.handle, self.digest, self.bytes, self.closed = handle, sha256(), 0, False

    def write(self, data: Any) -> int:
        whole = memoryview(data)
        for start in range(0, len(whole), _AT_ONCE):
            piece = whole[start : start + _AT_ONCE]
            self.digest.update(piece)
            self.handle.write(piece)
        self.bytes += len(whole)
        return len(whole)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        self.handle.flush()

    def close(self) -> None:
        self.closed = True


def _rows(images: pa.Table, lists: pa.Table, pointed: PointedBytes, encoding: EncodingConfig) -> pa.Table:
    """Records in the schema of a shard."""
    data, hashes = _read(images, pointed)
    if not encoding.untouched:
        anew = [None if one is None else encoded_anew(one, encoding) for one in data.to_pylist()]
        identities = [None if one is None else image_identity(one) for one in anew]
        data, hashes = pa.array(anew, pa.binary()), pa.array(identities, pa.int64())
    paths = pa.nulls(len(data), pa.string())
    pixels = pa.StructArray.from_arrays([data, paths], fields=list(IMAGE_TYPE), mask=data.is_null())
    columns = {
        **{name: images[name] for name in ("id", "source", "license", "attribution")},
        "group": images["together"],
        "image": pixels,
        "image_hash": pc.fill_null(hashes, NO_IMAGE_HASH),
        "texts": _flat(lists["texts"]).cast(_TEXTS),
    }
    return pa.Table.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)


def _read(images: pa.Table, pointed: PointedBytes) -> tuple[pa.BinaryArray, pa.ChunkedArray]:
    """Bytes, and the `image_identity` of each: as it was found before where the file has not been touched since.

    Both are null for a record without an image.
    """
    pictured, hashes = images["path"].is_valid().combine_chunks(), images["content"]
    images = images.filter(pictured)
    paths, content, stamps = (images[name].to_pylist() for name in ("path", "content", "stamp"))
    data = pointed.read_all(list(zip(paths, images["offset"].to_pylist(), images["length"].to_pylist(), strict=True)))
    now = {path: pointed.stamp(path) for path in set(paths)}  # after reading: a later change is not in the bytes
    for place, (path, expected, stamp) in enumerate(zip(paths, content, stamps, strict=True)):
        if (stamp is None or stamp != now[path]) and image_identity(data[place].as_py()) != expected:
            raise DataError(f"{path} has changed since it was looked at: start the build again")
    if len(data) < len(pictured):
        numbers = pc.subtract(pc.cumulative_sum(pictured.cast(pa.int64())), 1)
        data = data.take(pc.if_else(pictured, numbers, pa.scalar(None, pa.int64())))
    return data, hashes


def _provenance(images: pa.Table, lists: pa.Table) -> pa.Table:
    columns = {
        **{name: images[name] for name in ("id", "group", "together", "content", "looks")},
        "image_origin": images["origin"],
        "text_origins": _flat(lists["text_origins"]).cast(PROVENANCE.field("text_origins").type),
    }
    return pa.Table.from_arrays([columns[name] for name in PROVENANCE.names], schema=PROVENANCE)


def _row_groups(lengths: pa.ChunkedArray, lists: pa.Table, max_bytes: int) -> Iterator[tuple[int, int]]:
    """Consecutive rows of about equal size, as few groups as `max_bytes` allows; no image has no length."""
    texts = _text_bytes(lists["texts"].combine_chunks())
    pictured = lengths.is_valid().to_numpy()
    sizes = np.where(pictured, lengths.fill_null(0).to_numpy() + texts, np.maximum(texts, TEXTS_ONLY_BYTES)) + 64
    groups = int(-(-sizes.sum() // max_bytes))
    number = (np.cumsum(sizes) - sizes) * groups // sizes.sum()
    starts = np.flatnonzero(np.diff(number, prepend=-1))
    return zip(starts.tolist(), [*starts[1:].tolist(), len(sizes)], strict=True)


def _text_bytes(texts: pa.ListArray) -> np.ndarray:
    """Of each row, 16 for each text added."""
    each = pc.fill_null(pc.binary_length(pc.struct_field(texts.flatten(), "text")), 0).to_numpy() + 16
    sums = np.concatenate([[0], np.cumsum(each)])
    ends = np.cumsum(texts.value_lengths().to_numpy())
    sizes: np.ndarray = sums[ends] - sums[np.concatenate([[0], ends[:-1]])]
    return sizes


def _counted(column: pa.Array) -> dict[str, int]:
    return {row["values"]: row["counts"] for row in pc.value_counts(column).to_pylist()}


def _flat(column: Any) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
