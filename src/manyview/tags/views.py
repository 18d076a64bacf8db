"""Views: tags become rows of the table that every source gives, in a Parquet file that is whole or not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from manyview.corpus.sources.contract import VIEWS
from manyview.errors import ManyviewError
from manyview.tags.sequence import Tag, render_tags

__all__ = ["ViewWriter", "view_rows", "written_views"]

_ROWS_AT_ONCE = 50_000


def view_rows(
    id: str, tags: Sequence[Tag], *, kind: str, lang: str, origin: str, template: str | None
) -> list[dict[str, Any]]:
    """One row a tag, its score the weight and its place at the end of `origin`, or one row with all of them."""
    if not tags:
        return []
    if template is not None:
        said = [(render_tags(tags, template), 1.0)]
    else:
        said = [(tag.text, tag.score) for tag in tags]
    return [
        {"id": id, "kind": kind, "text": text, "lang": lang, "weight": weight, "origin": f"{origin}:{place:03d}"}
        for place, (text, weight) in enumerate(said)
    ]


class ViewWriter:
    """Rows go to disk some ten thousand at a time."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self.rows = 0
        self._writer, self._waiting = writer, list[Mapping[str, Any]]()

    def add(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.rows += len(rows)
        self._waiting += rows
        if len(self._waiting) >= _ROWS_AT_ONCE:
            self.flush()

    def flush(self) -> None:
        self._writer.write_table(pa.Table.from_pylist(self._waiting, schema=VIEWS))
        self._waiting.clear()


@contextmanager
def written_views(out: Path) -> Iterator[ViewWriter]:
    """A writer of a table of VIEWS that takes its name when all is in it. Raises ManyviewError where it cannot be."""
    partial = out.with_name(f"{out.name}.partial")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with pq.ParquetWriter(partial, VIEWS, compression="zstd", write_page_checksum=True) as opened:
            writer = ViewWriter(opened)
            yield writer
            writer.flush()
        partial.replace(out)
    except OSError as error:
        raise ManyviewError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        partial.unlink(missing_ok=True)
