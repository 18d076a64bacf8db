"""Run: every image is looked at once, and what is found in it becomes text views."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from PIL import Image

from manyview.config import load_config
from manyview.corpus.fingerprint import image_identity
from manyview.errors import UsageError
from manyview.tags.cache import TagCache
from manyview.tags.config import TagConfig
from manyview.tags.inputs import images_at
from manyview.tags.pictures import picture
from manyview.tags.plugins import load_tagger
from manyview.tags.sequence import selected
from manyview.tags.tagger import Detection, Tagger
from manyview.tags.views import view_rows, written_views
from manyview.tags.weights import version_of

__all__ = ["TagReport", "run", "tag"]

_BATCHES_AHEAD = 2
_NOTHING = "nothing found in it"
_SEEN = {"max_side_px", "min_side_px", "max_aspect", "max_pixels"}  # what an image is to the tagger depends on them


@dataclass(frozen=True)
class TagReport:
    """What became of the images: `images` = `tagged` + the sum of `left_out`, which counts by reason.

    `looked_at`: how many images the tagger was shown; what is in the others was known.
    """

    images: int
    tagged: int
    views: int
    looked_at: int
    left_out: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass(frozen=True)
class _Batch:
    """Images by id; those not known yet are being decoded."""

    ids: Sequence[str]
    hashes: Sequence[int]
    known: Mapping[int, Sequence[Detection]]
    decoding: Mapping[int, Future[Image.Image | str]]


def run(
    images: str | Path, out: str | Path, config: str | Path | None, overrides: Sequence[str] = (), device: str = "auto"
) -> TagReport:
    """`tag` of the images at a place, as the command line asks for it. Raises UsageError."""
    return tag(images_at(images), load_config(TagConfig, config, overrides), out, device)


def tag(images: Iterable[tuple[str, bytes]], config: TagConfig, out: str | Path, device: str = "auto") -> TagReport:
    """Write the tags of images, by id, as a table of VIEWS. Raises UsageError, or ManyviewError for a full disk.

    `device`: cpu, cuda, cuda:1, ...; auto: cuda where there is one. Findings are kept in the cache as they come: a run
    that was killed shows the tagger only what it has not seen, and another selection shows it nothing.
    """
    out = Path(out)
    if out.is_dir():
        raise UsageError(f"{out} is a folder, allowed: the name of a Parquet file to write")
    tagger = load_tagger(config.tagger, device)
    cached_as = version_of(tagger.version, "", config.model_dump(include=_SEEN))
    counts, left_out = Counter[str](), Counter[str]()
    cache = TagCache(config.cache or out.with_name(f"{out.name}.cache.sqlite"))
    with cache, ThreadPoolExecutor(config.threads) as threads, written_views(out) as writer:
        for batch in _ahead(_batches(images, config, cache, cached_as, threads)):
            found, problems = _looked_at(batch, tagger)
            cache.put(cached_as, found)
            counts["looked_at"] += len(found)
            for id, image_hash in zip(batch.ids, batch.hashes, strict=True):
                counts["images"] += 1
                if image_hash in problems:
                    left_out[problems[image_hash]] += 1
                    continue
                detections = batch.known[image_hash] if image_hash in batch.known else found[image_hash]
                rows = _rows(id, detections, tagger, config)
                writer.add(rows)
                counts["tagged"] += bool(rows)
                left_out[_NOTHING] += not rows
    return TagReport(
        images=counts["images"],
        tagged=counts["tagged"],
        views=writer.rows,
        looked_at=counts["looked_at"],
        left_out={reason: count for reason, count in sorted(left_out.items()) if count},
    )


def _batches(
    images: Iterable[tuple[str, bytes]], config: TagConfig, cache: TagCache, cached_as: str, threads: ThreadPoolExecutor
) -> Iterator[_Batch]:
    remaining = iter(images)
    while some := list(islice(remaining, config.batch_size)):
        hashes = [image_identity(data) for _, data in some]
        known = cache.get(cached_as, hashes)
        unknown = {of: data for of, (_, data) in zip(hashes, some, strict=True) if of not in known}
        decoding = {of: threads.submit(picture, data, config) for of, data in unknown.items()}
        yield _Batch([id for id, _ in some], hashes, known, decoding)


def _ahead(batches: Iterator[_Batch]) -> Iterator[_Batch]:
    """The same; some are begun before they are asked for."""
    waiting = deque[_Batch]()
    for batch in batches:
        waiting.append(batch)
        if len(waiting) > _BATCHES_AHEAD:
            yield waiting.popleft()
    yield from waiting


def _looked_at(batch: _Batch, tagger: Tagger) -> tuple[dict[int, list[Detection]], dict[int, str]]:
    """The findings in those images that can be decoded, and why the others cannot, by hash."""
    decoded = {of: future.result() for of, future in batch.decoding.items()}
    pictures = {of: image for of, image in decoded.items() if isinstance(image, Image.Image)}
    found = tagger(list(pictures.values())) if pictures else []
    return dict(zip(pictures, found, strict=True)), {of: why for of, why in decoded.items() if isinstance(why, str)}


def _rows(id: str, detections: Sequence[Detection], tagger: Tagger, config: TagConfig) -> list[dict[str, Any]]:
    habits = tagger.habits
    return view_rows(
        id,
        selected(detections, config.select, habits.threshold, habits.order),
        kind=config.kind or habits.kind,
        lang=habits.lang if config.lang is None else config.lang,
        origin=tagger.version,
        template=config.select.template,
    )
