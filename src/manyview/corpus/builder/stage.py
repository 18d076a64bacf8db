"""Stage: one part of a source becomes tables of what is kept, and counts of what is not."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus.builder import staged
from manyview.corpus.builder.identity import EVERYWHERE, Scope
from manyview.corpus.builder.landing import read_json, write_json
from manyview.corpus.builder.part_writer import PartWriter
from manyview.corpus.builder.pointed import PointedBytes
from manyview.corpus.builder.shared_cleaner import read_cleaner
from manyview.corpus.cleaning.cleaner import Cleaner
from manyview.corpus.fetch import Failed, FetchStore
from manyview.corpus.fingerprint import image_identity
from manyview.corpus.sources.contract import Batch, Part
from manyview.errors import DataError
from manyview.terminal import encodable

__all__ = [
    "KNOWN_FIELDS",
    "URLS",
    "FetchedTask",
    "PartTask",
    "Staged",
    "digest",
    "stage_fetched",
    "stage_part",
    "staged_once",
]

_LOOKED_AT = ("content", "stamp", "looks")
URLS = pa.schema([field for field in staged.IMAGES if field.name not in _LOOKED_AT] + [("url", pa.string())])
KNOWN_FIELDS = tuple(field for field in staged.IMAGES if field.name in ("path", "offset", "length", *_LOOKED_AT))
_SEEN = ("id", "url", "bytes", "path", "offset", "length")

Known = tuple[str, int, int, int, int | None, int | None]  # KNOWN_FIELDS of an image

_TABLES = ("images", "views", "urls", "links", "texts_only", "refused")
_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Staged:
    """What came of a part: its tables (None for one without rows), what is in them, what was left out and why."""

    images: str | None
    views: str | None
    urls: str | None
    links: str | None
    texts_only: str | None  # records without an image, as rows of images
    refused: str | None  # ids of images that were looked at and left out, where ids are addresses
    counts: dict[str, int]
    skipped: dict[str, int]


@dataclass(frozen=True)
class PartTask:
    """A part of a source, and what its tables depend on besides."""

    part: Part
    source: str
    scope: Scope  # within which ids are names
    first_place: int
    license: str
    seed: int
    cleaner: Path
    folder: Path

    @property
    def key(self) -> str:
        """Differs when anything differs that the tables depend on."""
        told = (
            staged.FORMAT,
            self.scope.name == EVERYWHERE,
            self.source,
            self.first_place,
            self.license,
            self.seed,
            self.cleaner.name,
        )
        return digest(self.part, self.part.version, *told)


@dataclass(frozen=True)
class FetchedTask:
    """The images of a part that were named by URL, after they were fetched."""

    urls: str
    part: PartTask
    store: FetchStore
    state: str

    @property
    def key(self) -> str:
        """Differs when anything differs that the table depends on."""
        return digest(self.urls, self.state)


def stage_part(task: PartTask) -> Staged:
    """Read a part, clean its texts, look at its images; done once, however often it is called.

    Images stay where they are if a file holds them as they are; other bytes are written beside the tables.
    """
    return staged_once(task.folder, task.key, lambda out: _stage_part(task, out))


def stage_fetched(task: FetchedTask) -> Staged:
    """Look at what was fetched for a part, once; failures are counted by reason."""
    return staged_once(task.part.folder, task.key, lambda out: _stage_fetched(task, out))


def staged_once(folder: Path, key: str, work: Callable[[PartWriter], None]) -> Staged:
    """The record of an earlier call, or of this one. Another attempt at the same time writes other files."""
    done = folder / f"{key}.json"
    found = read_json(done)
    if found is None:
        with PartWriter(folder, f"{key}-{uuid.uuid4().hex[:8]}") as out:
            work(out)
        tables = {name: out.written(name) for name in _TABLES}
        found = asdict(Staged(**tables, counts=dict(out.counts), skipped=dict(out.skipped)))
        write_json(done, found)
    return Staged(**found)


def _stage_part(task: PartTask, out: PartWriter) -> None:
    images, views, others = task.first_place, task.first_place, task.first_place
    with PointedBytes() as pointed:
        for read in task.part.read():
            batch = read if read.texts_only is None or task.scope.named else _under_source(read, task.source)
            out.skipped.update(batch.skipped)
            _add_views(_bound(batch, images), views, task, out)
            if batch.links is not None:
                out.add("links", batch.links)
            placed = _placed(task, images, batch.images)
            named = pc.and_(placed["bytes"].is_null(), placed["path"].is_null())
            _add_images(placed.filter(pc.invert(named)), task, pointed, out)
            _add_urls(placed.filter(named), task, out)
            if batch.texts_only is not None:
                _add_texts_only(_placed(task, others, batch.texts_only), task, out)
                others += len(batch.texts_only)
            images, views = images + len(batch.images), views + len(batch.views)


def _stage_fetched(task: FetchedTask, out: PartWriter) -> None:
    with PointedBytes() as pointed, pq.ParquetFile(task.urls) as opened:
        for batch in opened.iter_batches(_ROWS_AT_ONCE):
            named = pa.Table.from_batches([batch])
            _add_images(_found(named, task.store, out), task.part, pointed, out)


def _under_source(batch: Batch, source: str) -> Batch:
    """A batch of texts whose ids are places in files: under the name of its source no other one has them."""
    assert batch.texts_only is not None

    def named(table: pa.Table) -> pa.Table:
        ids = pc.binary_join_element_wise(encodable(source), table["id"], "/")
        return table.set_column(table.column_names.index("id"), "id", ids)

    return dataclasses.replace(batch, views=named(batch.views), texts_only=named(batch.texts_only))


def _add_texts_only(placed: pa.Table, task: PartTask, out: PartWriter) -> None:
    """Records without an image; nothing of them can be looked at."""
    for name in _LOOKED_AT:
        placed = placed.append_column(name, pa.nulls(len(placed), pa.int64()))
    origin = pa.repeat(pa.scalar(encodable(task.part.name)), len(placed))
    placed = placed.set_column(placed.column_names.index("origin"), "origin", origin)
    out.add("texts_only", placed.select(staged.IMAGES.names).cast(staged.IMAGES))
    out.counts["texts only"] += len(placed)


def _bound(batch: Batch, first_image: int) -> pa.Table:
    """The views of a batch with the places of the images they stand beside."""
    beside = pa.nulls(len(batch.views), pa.int64()) if batch.beside is None else pc.add(batch.beside, first_image)
    return batch.views.append_column("beside", beside)


def _add_views(views: pa.Table, first_place: int, task: PartTask, out: PartWriter) -> None:
    """The texts of a batch, cleaned; the order in which a source gives them stays known."""
    cleaned, skipped = read_cleaner(task.cleaner).views(views)
    out.skipped.update(skipped)
    places = pa.array(range(first_place, first_place + len(cleaned)), pa.int64())
    out.add("views", cleaned.append_column("place", places).select(staged.PART_VIEWS.names).cast(staged.PART_VIEWS))
    out.counts["texts"] += len(cleaned)
    out.counts["text bytes"] += pc.sum(pc.binary_length(cleaned["text"])).as_py() or 0


def _placed(task: PartTask, first_place: int, images: pa.Table) -> pa.Table:
    """Rows of a source with what follows from their ids and groups."""
    ids, part = images["id"], encodable(task.part.name)
    told = pc.greater(pc.binary_length(images["group"]), 0).fill_null(False)
    groups = pc.if_else(told, images["group"], ids)
    licensed = pc.greater(pc.binary_length(images["license"]), 0).fill_null(False)
    columns = {
        **{name: images[name] for name in _SEEN},
        "place": pa.array(range(first_place, first_place + len(images)), pa.int64()),
        "source": pa.repeat(pa.scalar(task.source), len(images)),
        "group": groups,
        "license": pc.if_else(licensed, images["license"], task.license),
        "attribution": images["attribution"].fill_null(""),
        "origin": pc.coalesce(pc.if_else(images["bytes"].is_valid(), part, images["path"]), images["url"]),
        "order": _draws(task.seed, "order", ids),
        "draw": _draws(task.seed, "split", groups),
    }
    return pa.table(columns)


def _draws(seed: int, purpose: str, names: pa.ChunkedArray) -> pa.Array:
    return pa.array([staged.draw(seed, purpose, name) for name in names.to_pylist()], pa.float64())


def _add_urls(named: pa.Table, task: PartTask, out: PartWriter) -> None:
    """Images to be fetched, but those that need not be, which are counted."""
    cleaner = read_cleaner(task.cleaner)
    reasons = [cleaner.refuses(*one) for one in zip(named["id"].to_pylist(), named["url"].to_pylist(), strict=True)]
    out.skipped.update(reason for reason in reasons if reason)
    named = named.filter(pa.array([reason is None for reason in reasons], pa.bool_()))
    out.add("urls", named.select(URLS.names).cast(URLS))
    out.counts["urls"] += len(named)


def _found(named: pa.Table, store: FetchStore, out: PartWriter) -> pa.Table:
    """The rows whose image has been fetched, and where it is."""
    rows, places = [], []
    for row, url in enumerate(named["url"].to_pylist()):
        answer = store.find(url)
        if answer is None or isinstance(answer, Failed):
            out.skipped["fetch: not tried" if answer is None else f"fetch: {answer.reason}"] += 1
        else:
            rows.append(row)
            places.append((str(answer.path), answer.offset, answer.length))
    there = named.take(pa.array(rows, pa.int64())).append_column("bytes", pa.nulls(len(rows), pa.binary()))
    return _with(there, [staged.IMAGES.field(name) for name in ("path", "offset", "length")], places)


def _with(table: pa.Table, fields: Sequence[pa.Field], rows: Sequence[tuple[object, ...]]) -> pa.Table:
    """The table with columns of these rows in place of its own."""
    table = table.drop_columns([field.name for field in fields if field.name in table.column_names])
    for place, field in enumerate(fields):
        table = table.append_column(field, pa.array([row[place] for row in rows], field.type))
    return table


def _add_images(placed: pa.Table, task: PartTask, pointed: PointedBytes, out: PartWriter) -> None:
    looking = _Looking(read_cleaner(task.cleaner), pointed, out)
    found = [looking.judged(*row) for row in zip(*(placed[name].to_pylist() for name in _SEEN), strict=True)]
    known = [one for one in found if one is not None]
    if task.scope.name == EVERYWHERE and len(known) < len(found):
        refused = placed.filter(pa.array([one is None for one in found], pa.bool_()))
        out.add("refused", refused.select(["id"]))
    kept = _with(placed.filter(pa.array([one is not None for one in found], pa.bool_())), KNOWN_FIELDS, known)
    out.add("images", kept.select(staged.IMAGES.names).cast(staged.IMAGES))
    out.counts["images"] += len(known)
    out.counts["image bytes"] += pc.sum(kept["length"]).as_py() or 0


@dataclass
class _Looking:
    """At the images of a batch, each where it is."""

    cleaner: Cleaner
    pointed: PointedBytes
    out: PartWriter
    stamps: dict[str, int | None] = dataclasses.field(default_factory=dict)

    def judged(
        self, id: str, url: str | None, own: bytes | None, path: str, offset: int | None, length: int | None
    ) -> Known | None:
        """What is known of an image that may stay; None for others, which are counted."""
        data = self._read(path, offset or 0, length) if own is None else own
        if isinstance(data, str):
            self.out.skipped[data] += 1
            return None
        content = image_identity(data)
        facts = self.cleaner.image(data, id, url, content)
        if isinstance(facts, str):
            self.out.skipped[facts] += 1
            return None
        stamp = self.stamps[path] if own is None else None
        path, offset = (path, offset) if own is None else self.out.keep(own)
        return path, offset or 0, len(data), content, stamp, facts.perceptual

    def _read(self, path: str, offset: int, length: int | None) -> bytes | str:
        """The bytes, or the reason why there are none."""
        try:
            if path not in self.stamps:
                self.stamps[path] = self.pointed.stamp(path)
            length = self.pointed.size(path) - offset if length is None else length
            too_many = length > self.cleaner.rules.images.max_bytes
            return "image: too many bytes" if too_many else self.pointed.read(path, offset, length)
        except FileNotFoundError:
            return "image: no such file"
        except (OSError, DataError, ValueError):
            return "image: cannot be read"


def digest(*said: object) -> str:
    return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
