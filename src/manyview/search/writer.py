"""Writing an index: the records of a corpus become rows on disk, all of them or none."""

import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus import Corpus, Record
from manyview.errors import DataError, UsageError
from manyview.search.encoder import Encoder
from manyview.search.hits import shown_texts, shown_titles
from manyview.search.layout import CARD, IMAGE, METADATA, SCHEMA, IndexCard, Origin
from manyview.search.thumbnail import UNDECODABLE, thumbnail
from manyview.search.view_files import ViewFiles

__all__ = ["write_index"]

_CHUNK_ROWS = 128
_MAX_UNDECODABLE_SHARE = 0.1
_UNDECODABLE, _EMPTY = "cannot be decoded", "neither a picture nor a text"


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

    Records whose picture cannot be decoded are left out and counted; more than a tenth of them is a DataError.
    `progress` hears (records seen, records in all).
    """
    if unknown := sorted(set(splits or ()) - set(corpus.splits)):
        raise UsageError(f"the corpus has no split {unknown[0]!r}, allowed: {', '.join(corpus.splits)}")
    chosen = list(corpus.splits) if splits is None else list(dict.fromkeys(splits))
    total = sum(corpus.splits[split] for split in chosen)
    rows, skipped = Counter[str](), Counter[str]()
    with _replacing(folder) as new:
        views = ViewFiles(new, model)
        with pq.ParquetWriter(new / METADATA, SCHEMA) as metadata:
            for split in chosen:
                for records in _chunks(corpus.records(split), _CHUNK_ROWS):
                    shown = _with_thumbnails(records, skipped)
                    if shown:
                        views.append([record for record, _ in shown])
                        metadata.write_table(_metadata(split, shown), row_group_size=_CHUNK_ROWS)
                    rows[split] += len(shown)
                    if progress is not None:
                        progress(rows.total() + skipped.total(), total)
        views.finish()
        broken = skipped[_UNDECODABLE]
        pictures = broken + views.rows_with(IMAGE)
        if broken > _MAX_UNDECODABLE_SHARE * pictures:
            raise DataError(f"{broken} of {pictures} pictures in {corpus.folder} cannot be decoded")
        card = IndexCard(
            rows=rows.total(),
            record_rows=views.record_rows,
            dim=model.embed_dim,
            views=views.cards(),
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
    """The records that can be indexed, each with its thumbnail, which is empty without a picture."""
    shown = []
    for record in records:
        if record.image is None and not any(text.text.strip() for text in record.texts):
            skipped[_EMPTY] += 1
            continue
        try:
            shown.append((record, b"" if record.image is None else thumbnail(record.image)))
        except UNDECODABLE:
            skipped[_UNDECODABLE] += 1
    return shown


def _metadata(split: str, shown: Sequence[tuple[Record, bytes]]) -> pa.Table:
    rows = [
        {
            "id": record.id,
            "titles": [{"lang": lang, "text": text} for lang, text in shown_titles(record.texts).items()],
            "texts": [
                {"kind": kind, "lang": lang, "text": text} for (kind, lang), text in shown_texts(record.texts).items()
            ],
            "split": split,
            "source": record.source,
            "license": record.license,
            "attribution": record.attribution,
            "thumbnail": picture,
        }
        for record, picture in shown
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


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
