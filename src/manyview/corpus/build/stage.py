"""Stage: one part of a source becomes tables of what is kept, and counts of what is not."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus.build import staged
from manyview.corpus.build.landing import read_json, write_json
from manyview.corpus.build.part_writer import PartWriter
from manyview.corpus.build.pointed import PointedBytes
from manyview.corpus.build.shared_cleaner import read_cleaner
from manyview.corpus.cleaning.cleaner import Cleaner
from manyview.corpus.fetch import Failed, FetchStore
from manyview.corpus.fingerprint import identity, text_identity
from manyview.corpus.sources.contract import Part
from manyview.errors import DataError

__all__ = ["FetchedTask", "PartTask", "Staged", "digest", "stage_fetched", "stage_part"]

URLS = pa.schema([field for field in staged.IMAGES if field.name not in ("content", "looks")] + [("url", pa.string())])

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Staged:
    """What came of a part: its tables (None for one without rows), what is in them, what was left out and why."""

    images: str | None
    views: str | None
    urls: str | None
    counts: dict[str, int]
    skipped: dict[str, int]


@dataclass(frozen=True)
class PartTask:
    """A part of a source, and what its tables depend on besides."""

    part: Part
    source: str
    first_place: int
    license: str
    seed: int
    cleaner: Path
    folder: Path

    @property
    def key(self) -> str:
        """Differs when anything differs that the tables depend on."""
        told = (self.source, self.first_place, self.license, self.seed, self.cleaner.name)
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
    return _once(task.folder, task.key, lambda out: _stage_part(task, out))


def stage_fetched(task: FetchedTask) -> Staged:
    """Look at what was fetched for a part, once; failures are counted by reason."""
    return _once(task.part.folder, task.key, lambda out: _stage_fetched(task, out))


def _once(folder: Path, key: str, work: Callable[[PartWriter], None]) -> Staged:
    """The record of an earlier call, or of this one. Another attempt at the same time writes other files."""
    done = folder / f"{key}.json"
    found = read_json(done)
    if found is None:
        with PartWriter(folder, f"{key}-{uuid.uuid4().hex[:8]}") as out:
            work(out)
        tables = {name: out.written(name) for name in ("images", "views", "urls")}
        found = asdict(Staged(**tables, counts=dict(out.counts), skipped=dict(out.skipped)))
        write_json(done, found)
    return Staged(**found)


def _stage_part(task: PartTask, out: PartWriter) -> None:
    images, views = task.first_place, task.first_place
    with PointedBytes() as pointed:
        for batch in task.part.read():
            out.skipped.update(batch.skipped)
            _add_views(batch.views, views, task, out)
            rows = [_placed(task, images + number, row) for number, row in enumerate(batch.images.to_pylist())]
            _add_images((row for row in rows if not row["fetch"]), task, pointed, out)
            named = [row for row in rows if row["fetch"] and not _refused(row, task, out)]
            out.add("urls", pa.Table.from_pylist(named, schema=URLS))
            out.counts["urls"] += len(named)
            images, views = images + len(batch.images), views + len(batch.views)


def _stage_fetched(task: FetchedTask, out: PartWriter) -> None:
    with PointedBytes() as pointed, pq.ParquetFile(task.urls) as opened:
        for batch in opened.iter_batches(_ROWS_AT_ONCE):
            _add_images(_found(batch.to_pylist(), task.store, out), task.part, pointed, out)


def _add_views(views: pa.Table, first_place: int, task: PartTask, out: PartWriter) -> None:
    """The texts of a batch, cleaned; the order in which a source gives them stays known."""
    cleaned, skipped = read_cleaner(task.cleaner).views(views)
    out.skipped.update(skipped)
    texts = cleaned["text"].to_pylist()
    places = pa.array(range(first_place, first_place + len(texts)), pa.int64())
    said = pa.array([text_identity(text) for text in texts], pa.int64())
    table = cleaned.append_column("place", places).append_column("said", said)
    out.add("views", table.select(staged.VIEWS.names).cast(staged.VIEWS))
    out.counts["texts"] += len(texts)
    out.counts["text bytes"] += sum(len(text.encode()) for text in texts)


def _placed(task: PartTask, place: int, row: dict[str, Any]) -> dict[str, Any]:
    """A row of a source with what follows from its id and group; it must be fetched when nothing but a URL is known."""
    group = row["group"] or row["id"]
    fetch = row["bytes"] is None and row["path"] is None
    return {
        **row,
        "place": place,
        "source": task.source,
        "group": group,
        "license": row["license"] or task.license,
        "attribution": row["attribution"] or "",
        "fetch": fetch,
        "origin": row["url"] if fetch else row["path"] if row["bytes"] is None else task.part.name,
        "order": staged.draw(task.seed, "order", row["id"]),
        "draw": staged.draw(task.seed, "split", group),
    }


def _refused(row: dict[str, Any], task: PartTask, out: PartWriter) -> bool:
    """Whether an image need not be fetched, which is counted."""
    reason = read_cleaner(task.cleaner).refuses(row["id"], row["url"])
    out.skipped.update([reason] if reason else [])
    return reason is not None


def _found(rows: list[dict[str, Any]], store: FetchStore, out: PartWriter) -> Iterator[dict[str, Any]]:
    for row in rows:
        answer = store.find(row["url"])
        if answer is None or isinstance(answer, Failed):
            out.skipped["fetch: not tried" if answer is None else f"fetch: {answer.reason}"] += 1
        else:
            yield {**row, "path": str(answer.path), "offset": answer.offset, "length": answer.length}


def _add_images(rows: Iterable[dict[str, Any]], task: PartTask, pointed: PointedBytes, out: PartWriter) -> None:
    cleaner = read_cleaner(task.cleaner)
    kept = [found for row in rows if (found := _judged(row, cleaner, pointed, out)) is not None]
    out.add("images", pa.Table.from_pylist(kept, schema=staged.IMAGES))
    out.counts["images"] += len(kept)
    out.counts["image bytes"] += sum(row["length"] for row in kept)


def _judged(row: dict[str, Any], cleaner: Cleaner, pointed: PointedBytes, out: PartWriter) -> dict[str, Any] | None:
    """The row with what its bytes tell, or None and a reason counted."""
    own: bytes | None = row.get("bytes")
    data = _read(row, pointed, cleaner.rules.images.max_bytes) if own is None else own
    facts = data if isinstance(data, str) else cleaner.image(data, row["id"], row["url"])
    if isinstance(facts, str) or isinstance(data, str):
        out.skipped[str(facts)] += 1
        return None
    path, offset = (row["path"], row["offset"] or 0) if own is None else out.keep(data)
    known = {"content": identity(data), "looks": facts.perceptual, "length": len(data)}
    return {**row, **known, "path": path, "offset": offset}


def _read(row: dict[str, Any], pointed: PointedBytes, max_bytes: int) -> bytes | str:
    """The bytes a row points to, or the reason why there are none."""
    path, offset = row["path"], row["offset"] or 0
    try:
        length = pointed.size(path) - offset if row["length"] is None else row["length"]
        return "image: too many bytes" if length > max_bytes else pointed.read(path, offset, length)
    except FileNotFoundError:
        return "image: no such file"
    except (OSError, DataError, ValueError):
        return "image: cannot be read"


def digest(*said: object) -> str:
    return blake2b(repr(said).encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
