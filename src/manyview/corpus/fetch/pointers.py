"""Pointers: images named by URL become places in the files of a fetch store."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.fetch.store import Fetched, FetchStore

__all__ = ["NOT_TRIED", "point_to_fetched"]

NOT_TRIED = "fetch: not tried yet"


def point_to_fetched(images: pa.Table, store: FetchStore) -> tuple[pa.Table, Counter[str]]:
    """An IMAGES table whose rows that have nothing but a URL point into the store instead.

    Rows whose image could not be fetched are left out and counted by the reason.
    """
    skipped, kept = Counter[str](), []
    columns = {name: images[name].to_pylist() for name in ("path", "offset", "length", "url")}
    for row, needed in enumerate(_without_image(images)):
        if needed:
            found = store.find(columns["url"][row])
            if not isinstance(found, Fetched):
                skipped[NOT_TRIED if found is None else found.reason] += 1
                continue
            place = {"path": str(found.path), "offset": found.offset, "length": found.length}
            for name, value in place.items():
                columns[name][row] = value
        kept.append(row)
    for name in ("path", "offset", "length"):
        index = images.schema.get_field_index(name)
        images = images.set_column(
            index, images.schema.field(index), pa.array(columns[name], images.schema.field(index).type)
        )
    return images.take(pa.array(kept, pa.int64())), skipped


def _without_image(images: pa.Table) -> list[bool]:
    nothing = pc.and_(pc.is_null(images["bytes"]), pc.is_null(images["path"]))
    needed: list[bool] = pc.and_(nothing, pc.is_valid(images["url"])).to_pylist()
    return needed
