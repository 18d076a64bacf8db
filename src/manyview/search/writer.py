"""Writing an index: the pictures of a corpus become rows on disk, all of them or none."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus import Corpus, Record
from manyview.errors import DataError, UsageError
from manyview.search.encoder import Encoder, unit_rows
from manyview.search.hits import shown_titles
from manyview.search.layout import CARD, FEATURES, METADATA, SCHEMA, IndexCard, Origin
from manyview.search.thumbnail import UNDECODABLE, thumbnail

__all__ = ["write_index"]

_CHUNK_ROWS = 128
_MAX_SKIPPED_SHARE = 0.1


def write_index(
    model: Encoder,
    corpus: Corpus,
    folder: Path,
    splits: Sequence[str] | None = None,
    *,
    model_origin: Origin,
    corpus_origin: Origin,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the index of the named splits (all when None) to `folder`, in place of what was there.

    Pictures that cannot be decoded are left out and counted; more than a tenth of them is a DataError.
    `progress` hears (records seen, records in all).
    """
    if unknown := sorted(set(splits or ()) - set(corpus.splits)):
        raise UsageError(f"the corpus has no split {unknown[0]!r}, allowed: {', '.join(corpus.splits)}")
    chosen = list(corpus.splits) if splits is None else list(dict.fromkeys(splits))
    total = sum(corpus.splits[split] for split in chosen)
    rows, skipped = Counter[str](), Counter[str]()
    with _replacing(folder) as new:
        with (new / FEATURES).open("wb") as features, pq.ParquetWriter(new / METADATA, SCHEMA) as metadata:
            _write_header(features, 0, model.embed_dim)
            for split in chosen:
                for records in _chunks(corpus.records(split), _CHUNK_ROWS):
                    shown = _with_thumbnails(records, skipped)
                    if shown:
                        features.write(unit_rows(model.encode_image([r.image for r, _ in shown])).tobytes())
                        metadata.write_table(_metadata(split, shown), row_group_size=_CHUNK_ROWS)
                    rows[split] += len(shown)
                    if progress is not None:
                        progress(rows.total() + skipped.total(), total)
            _write_header(features, rows.total(), model.embed_dim)
        if skipped.total() > _MAX_SKIPPED_SHARE * total:
            raise DataError(f"{skipped.total()} of {total} pictures in {corpus.folder} cannot be decoded")
        card = IndexCard(
            rows=rows.total(),
            dim=model.embed_dim,
            splits=dict(rows),
            skipped=dict(skipped),
            model=model_origin,
            corpus=corpus_origin,
        )
        (new / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def _chunks(records: Iterator[Record], size: int) -> Iterator[list[Record]]:
    while chunk := list(islice(records, size)):
        yield chunk


def _with_thumbnails(records: Sequence[Record], skipped: Counter[str]) -> list[tuple[Record, bytes]]:
    shown = []
    for record in records:
        try:
            shown.append((record, thumbnail(record.image)))
        except UNDECODABLE:
            skipped["cannot be decoded"] += 1
    return shown


def _metadata(split: str, shown: Sequence[tuple[Record, bytes]]) -> pa.Table:
    rows = [
        {
            "id": record.id,
            "titles": [{"lang": lang, "text": text} for lang, text in shown_titles(record.texts).items()],
            "split": split,
            "source": record.source,
            "license": record.license,
            "attribution": record.attribution,
            "thumbnail": picture,
        }
        for record, picture in shown
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _write_header(file: BinaryIO, rows: int, dim: int) -> None:
    """The .npy header at the start of the file; numpy pads it so that the number of rows can grow."""
    file.seek(0)
    header = {"descr": "<f4", "fortran_order": False, "shape": (rows, dim)}
    np.lib.format.write_array_header_1_0(file, header)


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` that takes its name once the block ends well, and vanishes otherwise."""
    folder = folder.absolute()
    if folder.exists() and not (folder / CARD).exists() and (folder.is_file() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there and is not an index: name another folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", suffix=".unfinished", dir=folder.parent))
    try:
        new, old = work / "new", work / "old"
        new.mkdir()
        yield new
        if folder.exists():
            folder.replace(old)
        new.replace(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
