"""Small tables of views."""

from typing import Any

import pyarrow as pa

from manyview.corpus.sources.contract import VIEWS


def views(*rows: tuple[Any, ...]) -> pa.Table:
    """Of (id, kind, text[, weight[, lang]])."""
    padded = [(*row, *(1.0, "")[len(row) - 3 :]) for row in rows]
    columns = [list(column) for column in zip(*padded, strict=True)] or [[]] * 5
    id, kind, text, weight, lang = columns
    return pa.table(
        {"id": id, "kind": kind, "text": text, "lang": lang, "weight": weight, "origin": ["here"] * len(id)},
        schema=VIEWS,
    )
