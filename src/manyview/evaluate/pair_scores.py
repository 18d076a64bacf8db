"""Pair scores: how alike a model finds each image of a corpus and what is said about it, as a table for cleaning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manyview.corpus import Corpus
from manyview.corpus.builder.landing import landing
from manyview.corpus.location import locate
from manyview.corpus.table import NO_IMAGE_HASH
from manyview.errors import DataError, ManyviewError, UsageError
from manyview.evaluate.encode import Encoder, encode_texts
from manyview.evaluate.ranks import Features

__all__ = ["PAIR_SCORES", "PairScoreReport", "score_pairs"]

PAIR_SCORES = pa.schema([("id", pa.string()), ("kind", pa.string()), ("text", pa.string()), ("score", pa.float32())])
_UNDECODABLE = "image: cannot be decoded"
_NO_IMAGE = "record: no image"


@dataclass(frozen=True)
class PairScoreReport:
    """What was scored: `images`, `texts` and the mean of their cosines by kind; `left_out` counts records by reason."""

    images: int
    texts: Mapping[str, int]
    mean: Mapping[str, float]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


@dataclass
class _Counts:
    records: int = 0  # with an image
    images: int = 0
    texts: Counter[str] = field(default_factory=Counter)
    sums: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, rows: pa.Table) -> None:
        for row in rows.group_by("kind").aggregate([("score", "sum"), ("score", "count")]).to_pylist():
            self.texts[row["kind"]] += row["score_count"]
            self.sums[row["kind"]] += row["score_sum"]

    def report(self) -> PairScoreReport:
        texts = dict(sorted(self.texts.items()))
        mean = {kind: round(self.sums[kind] / count, 4) for kind, count in texts.items()}
        return PairScoreReport(self.images, texts, mean, dict(sorted(self.left_out.items())))


def score_pairs(
    model: Encoder,
    corpus: Corpus,
    out: str | Path,
    *,
    kinds: Sequence[str] | None = None,
    splits: Sequence[str] | None = None,
    batch_size: int = 256,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> PairScoreReport:
    """Write a Parquet file of PAIR_SCORES: a row for each text of these kinds and splits (all when None), its cosine.

    The file is what `clean.scores.table` of a build takes; it is there whole or not at all. Memory holds a row group
    of the corpus. Records without an image, or with one that cannot be decoded, have no scores and are counted.
    `progress` hears (records seen, records in all). Raises UsageError for an unknown split, for kinds that no record
    has and when no record has an image, DataError when no image can be decoded, ManyviewError for features that are
    not finite and a disk that refuses.
    """
    place = locate(out)
    if place.is_dir():
        raise UsageError(f"{out} is a folder, allowed: the name of a Parquet file to write")
    chosen = _chosen(corpus, splits)
    counts = _Counts()
    try:
        with landing(place) as handle, pq.ParquetWriter(handle, PAIR_SCORES, compression="zstd") as writer:
            for chunk in _chunks(corpus, chosen, batch_size, progress):
                rows = _scored(model, _spoken_of(_with_image(chunk, counts), kinds), batch_size, counts)
                counts.add(rows)
                writer.write_table(rows)
            _check(counts, kinds)
    except OSError as error:
        raise ManyviewError(f"cannot write {out}: {error.strerror or error}") from error
    return counts.report()


def _chosen(corpus: Corpus, splits: Sequence[str] | None) -> list[str]:
    if unknown := sorted(set(splits or ()) - set(corpus.splits)):
        raise UsageError(f"the corpus has no split {unknown[0]!r}, allowed: {', '.join(corpus.splits)}")
    return list(corpus.splits if splits is None else dict.fromkeys(splits))


def _check(counts: _Counts, kinds: Sequence[str] | None) -> None:
    if counts.texts:
        return
    if broken := counts.left_out[_UNDECODABLE]:
        raise DataError(f"none of the {broken:,} images can be decoded")
    if counts.left_out and not counts.records:
        raise UsageError("no record has an image: there is nothing to compare the texts with")
    raise UsageError("no record has a text" + (f" of the kinds {', '.join(kinds)}" if kinds is not None else ""))


def _chunks(
    corpus: Corpus, splits: Sequence[str], size: int, progress: Callable[[int, int], None]
) -> Iterator[pa.Table]:
    total, done = sum(corpus.splits[split] for split in splits), 0
    for split in splits:
        for block in corpus.blocks(split):
            records = corpus.read(block, ["id", "image", "image_hash", "texts"])
            for start in range(0, len(records), size):
                yield records.slice(start, size)
                done += min(size, len(records) - start)
                progress(done, total)


def _with_image(records: pa.Table, counts: _Counts) -> pa.Table:
    pictured = records.filter(pc.fill_null(pc.not_equal(records["image_hash"], NO_IMAGE_HASH), True))
    counts.records += len(pictured)
    counts.left_out += Counter({_NO_IMAGE: len(records) - len(pictured)})
    return pictured


def _spoken_of(records: pa.Table, kinds: Sequence[str] | None) -> tuple[list[bytes], pa.Table]:
    """The images of which something is said, and all that is; `row` is the image's place among them."""
    texts = records["texts"].combine_chunks()
    said, rows = pc.list_flatten(texts), pc.list_parent_indices(texts)
    kind = pc.struct_field(said, "kind")
    table = pa.table({"id": records["id"].take(rows), "kind": kind, "text": pc.struct_field(said, "text"), "row": rows})
    if kinds is not None:
        table = table.filter(pc.is_in(kind, pa.array(kinds, pa.string())))
    wanted, place = np.unique(table["row"].to_numpy(), return_inverse=True)
    images = pc.struct_field(records["image"].combine_chunks(), "bytes").take(pa.array(wanted))
    return [data or b"" for data in images.to_pylist()], table.set_column(3, "row", pa.array(place))


def _scored(model: Encoder, spoken_of: tuple[list[bytes], pa.Table], batch_size: int, counts: _Counts) -> pa.Table:
    """Rows of PAIR_SCORES of the images that can be decoded; each distinct text is encoded once."""
    images, said = spoken_of
    features = _features(model, images, batch_size)
    seen = np.array([row is not None for row in features], bool)
    counts.images += int(seen.sum())
    if not seen.all():
        counts.left_out[_UNDECODABLE] += int((~seen).sum())
    said = said.filter(pa.array(seen[said["row"].to_numpy()]))
    if not len(said):
        return PAIR_SCORES.empty_table()
    texts = said["text"].combine_chunks().dictionary_encode()
    of_texts = encode_texts(model, texts.dictionary.to_pylist(), batch_size)[texts.indices.to_numpy()]
    rows = (np.cumsum(seen) - 1)[said["row"].to_numpy()]
    of_images = np.stack([row for row in features if row is not None])[rows]
    scores = np.einsum("nd,nd->n", of_images, of_texts).astype(np.float32)
    if not np.isfinite(scores).all():
        raise ManyviewError("the model gives features that are not finite: its training diverged")
    return said.select(["id", "kind", "text"]).append_column("score", pa.array(scores)).cast(PAIR_SCORES)


def _features(model: Encoder, images: Sequence[bytes], batch_size: int) -> list[Features | None]:
    """A row for each image, None for one that cannot be decoded, found by halving."""
    if not images:
        return []
    try:
        return list(model.encode_image(images, batch_size=batch_size).detach().float().cpu().numpy())
    except DataError:
        if len(images) == 1:
            return [None]
    half = len(images) // 2
    return [*_features(model, images[:half], batch_size), *_features(model, images[half:], batch_size)]
