"""Texts: the views of a corpus or of a Parquet file, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus import Corpus
from manyview.corpus.corpus import PACKAGED
from manyview.corpus.manifest import MANIFEST
from manyview.corpus.sources.contract import VIEWS
from manyview.errors import DataError, UsageError

__all__ = ["views_at"]

_ROWS_AT_ONCE = 10_000


def views_at(path: str | Path) -> Iterator[pa.Table]:
    """The texts of a corpus, or of a Parquet file of VIEWS. Raises UsageError, DataError for a damaged one."""
    if str(path) in PACKAGED or (Path(path) / MANIFEST).is_file():
        return _of_corpus(Corpus.open(path))
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder without a corpus, allowed: a corpus, or a Parquet file of views")
    return _of_file(Path(path))


def _of_corpus(corpus: Corpus) -> Iterator[pa.Table]:
    for split in corpus.splits:
        for block in corpus.blocks(split):
            rows = corpus.read(block, ["id", "source", "texts"]).to_pylist()
            said = [{"id": row["id"], "origin": row["source"], **text} for row in rows for text in row["texts"]]
            yield pa.Table.from_pylist(said, schema=VIEWS)


def _of_file(file: Path) -> Iterator[pa.Table]:
    try:
        with pq.ParquetFile(file) as opened:
            if missing := sorted(set(VIEWS.names) - set(opened.schema_arrow.names)):
                raise UsageError(f"{file} is no table of views: it has no column {missing}")
            for batch in opened.iter_batches(_ROWS_AT_ONCE, columns=VIEWS.names):
                yield pa.Table.from_batches([batch])
    except FileNotFoundError:
        raise UsageError(f"no corpus and no table of views at {file}") from None
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} is damaged or no Parquet file: {' '.join(str(error).split())}") from error
