"""Archived: images that pages name by URL and that the crawl archives of the build hold, so that nobody asks for them.

An address leads to an image directly, by redirections and revisits that the archives recorded, or by another address
that the page offers for the same image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from xxhash import xxh3_64_intdigest

from manyview.corpus.builder.identity import EVERYWHERE
from manyview.corpus.builder.landing import landing
from manyview.corpus.builder.part_writer import PartWriter
from manyview.corpus.builder.stage import KNOWN_FIELDS, URLS, PartTask, Staged, digest, staged_once
from manyview.corpus.builder.staged import IMAGES

__all__ = ["ArchivedTask", "archive_of", "stage_archived"]

REFUSED = "image: left out where an archive holds it"
KNOWN_COLUMNS = tuple(field.name for field in KNOWN_FIELDS)
_HELD = pa.schema([("url", pa.string()), *KNOWN_FIELDS])  # no path: it was left out
_MOST_LINKS = 5  # one after the other
_ROWS_AT_ONCE = 65_536


@dataclass(frozen=True)
class ArchivedTask:
    """The images of a part that are named by URL, and the table of what archives hold of them."""

    urls: str
    part: PartTask
    archive: Path

    @property
    def key(self) -> str:
        """Differs when anything differs that the tables depend on."""
        return digest(self.urls, self.archive.name)


def stage_archived(task: ArchivedTask) -> Staged:
    """The images that archives hold, and the URLs of the others; done once, however often it is called."""
    return staged_once(task.part.folder, task.key, lambda out: _stage(task, out))


def archive_of(staged: Sequence[Staged], tasks: Sequence[PartTask], folder: Path) -> Path | None:
    """A table of the addresses among those named by the parts under which archives hold an image; None if none does."""
    held = [part for part, task in zip(staged, tasks, strict=True) if task.scope.name == EVERYWHERE]
    images, refused, links, urls = (
        [file for part in parts if (file := getattr(part, name))]
        for parts, name in ((held, "images"), (held, "refused"), (held, "links"), (staged, "urls"))
    )
    if not urls or not (images or refused):
        return None
    file = folder / f"archive-{digest(images, refused, links, urls)}.parquet"
    if not file.is_file():
        table = _Archive.read(urls, images, refused, links).table()
        with landing(file) as handle:
            pq.write_table(table, handle, compression="zstd")
    return file


@dataclass
class _Archive:
    """Addresses of images by name, and the addresses that lead to others."""

    wanted: np.ndarray
    targets: dict[str, list[str]] = field(default_factory=dict)
    rows: pa.Table = field(default_factory=_HELD.empty_table)

    @classmethod
    def read(cls, urls: Sequence[str], images: Sequence[str], refused: Sequence[str], links: Sequence[str]) -> _Archive:
        """Only what the URLs may lead to is held in memory."""
        archive = cls(_distinct(_hashes(table["url"]) for table in _tables(urls, ["url"])))
        reached = archive.wanted
        for _ in range(_MOST_LINKS):
            new = archive._follow(links, reached)
            if not len(new):
                break
            reached = np.union1d(reached, new)
        kept = [_HELD.empty_table()]
        for table in _tables(images, ["id", *KNOWN_COLUMNS]):
            kept.append(_among(table, reached).rename_columns(_HELD.names).cast(_HELD))
        for table in _tables(refused, ["id"]):
            nothing = [pa.nulls(len(table), of.type) for of in _HELD][1:]
            kept.append(_among(pa.table([table["id"], *nothing], schema=_HELD), reached, "url"))
        archive.rows = pa.concat_tables(kept).combine_chunks()
        return archive

    def _follow(self, links: Sequence[str], reached: np.ndarray) -> np.ndarray:
        """Hashes of targets that nothing has led to before."""
        new = list[str]()
        for table in _tables(links, ["url", "target"]):
            for row in _among(table, reached, "url").to_pylist():
                targets = self.targets.setdefault(row["url"], [])
                if row["target"] not in targets:
                    targets.append(row["target"])
                    new.append(row["target"])
        return np.setdiff1d(_hashes(pa.array(new, pa.string())), reached)

    def table(self) -> pa.Table:
        """The first image of each address, also of those that lead to one."""
        place = dict[str, int]()
        for row, url in enumerate(self.rows["url"].to_pylist()):
            place.setdefault(url, row)
        for url in self.targets:
            found = url in place or next((one for one in self._reachable(url) if one in place), None)
            if isinstance(found, str):
                place[url] = place[found]
        table = self.rows.take(pa.array(place.values(), pa.int64()))
        return table.set_column(0, _HELD.field("url"), pa.array(place, pa.string()))

    def _reachable(self, url: str) -> Iterator[str]:
        """Where an address leads, the nearest first."""
        known, edge = {url}, [url]
        for _ in range(_MOST_LINKS):
            edge = [target for one in edge for target in self.targets.get(one, ()) if target not in known]
            yield from edge
            known.update(edge)


def _stage(task: ArchivedTask, out: PartWriter) -> None:
    archive = pq.read_table(task.archive)
    with pq.ParquetFile(task.urls) as opened:
        for batch in opened.iter_batches(_ROWS_AT_ONCE):
            named = pa.Table.from_batches([batch])
            place = pc.index_in(named["url"], archive["url"].combine_chunks())
            held = archive.take(place)
            is_held, has_image = place.is_valid(), held["path"].is_valid()
            out.skipped[REFUSED] += pc.sum(pc.and_(is_held, pc.invert(has_image))).as_py() or 0
            columns = {name: held[name] for name in KNOWN_COLUMNS}
            columns |= {name: named[name] for name in IMAGES.names if name not in KNOWN_COLUMNS}
            images = pa.table([columns[name] for name in IMAGES.names], schema=IMAGES).filter(has_image)
            out.add("images", images)
            out.counts["images"] += len(images)
            out.counts["image bytes"] += pc.sum(images["length"]).as_py() or 0
            others = named.filter(pc.invert(is_held))
            out.add("urls", others.select(URLS.names).cast(URLS))
            out.counts["urls"] += len(others)


def _tables(files: Iterable[str], columns: Sequence[str]) -> Iterator[pa.Table]:
    for file in files:
        with pq.ParquetFile(file) as opened:
            for batch in opened.iter_batches(_ROWS_AT_ONCE, columns=list(columns)):
                yield pa.Table.from_batches([batch]).select(columns)


def _among(table: pa.Table, hashes: np.ndarray, column: str = "id") -> pa.Table:
    """The rows whose address is among those of the hashes."""
    own = _hashes(table[column])
    if not len(hashes):
        return table.slice(0, 0)
    place = np.minimum(np.searchsorted(hashes, own), len(hashes) - 1)
    return table.filter(pa.array(hashes[place] == own))


def _hashes(addresses: pa.Array | pa.ChunkedArray) -> np.ndarray:
    return np.array([xxh3_64_intdigest(address.encode()) for address in addresses.to_pylist()], np.uint64)


def _distinct(hashes: Iterable[np.ndarray]) -> np.ndarray:
    return np.unique(np.concatenate([np.empty(0, np.uint64), *hashes]))
