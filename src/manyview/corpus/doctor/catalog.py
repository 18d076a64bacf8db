"""Catalog: what stands beside image and texts: ids, groups, sources, licenses, the hashes of the images."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from manyview.corpus.doctor.occurrences import Occurrences
from manyview.corpus.doctor.tally import Tally
from manyview.corpus.fingerprint import identity, image_identity
from manyview.corpus.table import NO_IMAGE_HASH

__all__ = ["CATALOG_COLUMNS", "Catalog"]

_NO_BYTES = image_identity(b"")
CATALOG_COLUMNS = ("id", "group", "source", "license", "image_hash")


class Catalog:
    """Occurrences of ids, groups and images; what has none (null or "") is like no other."""

    def __init__(self, folder: Path) -> None:
        self.ids = Occurrences(folder / "ids")
        self.groups = Occurrences(folder / "groups")
        self.images = Occurrences(folder / "images")
        self.sources, self.licenses = Tally(), Tally()
        self.grouped = self.without_image = 0

    def add(self, table: pa.Table, start: int) -> None:
        """The columns of a block whose first row has the number `start`."""
        self.sources.add_column(table["source"])
        self.licenses.add_column(table["license"])
        for name, occurrences in (("id", self.ids), ("group", self.groups)):
            identities, rows = _identities(table[name])
            occurrences.add(identities, rows + start)
            self.grouped += len(rows) if name == "group" else 0
        hashes = table["image_hash"].combine_chunks()
        rows = np.flatnonzero(hashes.is_valid().to_numpy(zero_copy_only=False))
        known = hashes.drop_null().to_numpy()
        shown = (known != _NO_BYTES) & (known != NO_IMAGE_HASH)
        self.images.add(known[shown], rows[shown] + start)
        self.without_image += int((known == NO_IMAGE_HASH).sum())


def _identities(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray]:
    """The identities of the values that are not empty, and their places."""
    values = column.combine_chunks()
    there = pc.greater(pc.binary_length(values.fill_null("")), 0)
    encoded = values.filter(there).dictionary_encode()
    known = np.array([identity(value.encode()) for value in encoded.dictionary.to_pylist()], np.int64)
    return known[encoded.indices.to_numpy()], np.flatnonzero(there.to_numpy(zero_copy_only=False))
