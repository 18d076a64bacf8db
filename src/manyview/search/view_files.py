"""The vectors of an index on disk: the views of records as a model encodes them, and the vector of every record."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from manyview.corpus import Record
from manyview.errors import DataError
from manyview.search.encoder import Encoder, Features, present_rows
from manyview.search.layout import GROUPS, ViewCard, record_files, view_files
from manyview.search.npy_file import NpyFile
from manyview.search.view_rows import RowNumbers, ViewRows, weighted_mean

__all__ = ["Unreadable", "ViewFiles", "open_groups", "open_view"]

Number = TypeVar("Number", bound=np.generic)


class Unreadable(DataError):
    """A file of an index that is damaged, or of another format; the sentence says which and how."""


@dataclass(frozen=True)
class _Pair:
    """A file of vectors, and the file of the rows that have one."""

    features: NpyFile
    rows: NpyFile

    @classmethod
    def create(cls, folder: Path, names: tuple[str, str], dim: int) -> "_Pair":
        return cls(NpyFile(folder / names[0], np.float32, (dim,)), NpyFile(folder / names[1], np.int64))

    def append(self, features: Features, rows: RowNumbers) -> None:
        self.features.append(features)
        self.rows.append(rows)

    def finish(self) -> None:
        self.features.finish()
        self.rows.finish()


class ViewFiles:
    """The files of vectors of an index that is being written; a view gets its files when the first record has it."""

    def __init__(self, folder: Path, model: Encoder) -> None:
        self.folder, self.model = folder, model
        self.rows = 0
        self._groups = NpyFile(folder / GROUPS, np.int64)
        self._records = _Pair.create(folder, record_files(), model.embed_dim)
        self._views: dict[str, _Pair] = {}
        self._weights: dict[str, float] = {}

    @property
    def record_rows(self) -> int:
        """Records that have a vector."""
        return self._records.rows.rows

    def rows_with(self, view: str) -> int:
        """Records that have this view."""
        return self._views[view].rows.rows if view in self._views else 0

    def append(self, records: Sequence[Record]) -> None:
        """Encode the views of the next records and write them, and the records' vectors, behind those before."""
        features, present = self.model.encode_views(records)
        views = {name: present_rows(features[name], present[name]) for name in features}
        views = {name: view for name, view in views.items() if len(view[1])}
        for name, (rows, positions) in views.items():
            if name not in self._views:
                self._views[name] = _Pair.create(self.folder, view_files(len(self._views)), self.model.embed_dim)
                self._weights[name] = self.model.config.record.weights.get(name, 1.0)
            self._views[name].append(rows, self.rows + positions)
        weighted = [positions for name, (_, positions) in views.items() if self._weights[name] > 0]
        ranked = np.unique(np.concatenate(weighted)) if weighted else np.empty(0, np.int64)
        vectors = weighted_mean(views, self._weights, len(records), self.model.embed_dim)
        self._records.append(vectors[ranked], self.rows + ranked)
        self._groups.append(np.array([_group_number(record.group) for record in records], np.int64))
        self.rows += len(records)

    def finish(self) -> None:
        """State in every file how many rows it has."""
        self._groups.finish()
        for pair in (self._records, *self._views.values()):
            pair.finish()

    def cards(self) -> tuple[ViewCard, ...]:
        """The views, in the order of their files."""
        return tuple(
            ViewCard(name=name, rows=pair.rows.rows, weight=self._weights[name]) for name, pair in self._views.items()
        )


def open_groups(folder: Path, rows: int) -> RowNumbers:
    """The number of each record's group, left on disk."""
    return _open(folder / GROUPS, np.dtype(np.int64), (rows,))


def open_view(folder: Path, names: tuple[str, str], rows: int, dim: int) -> ViewRows:
    """A view's vectors and rows, left on disk; Unreadable where they are not what the card says."""
    return ViewRows(
        _open(folder / names[0], np.dtype(np.float32), (rows, dim)),
        _open(folder / names[1], np.dtype(np.int64), (rows,)),
    )


def _group_number(group: str) -> int:
    return int.from_bytes(hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8).digest(), signed=True)


def _open(file: Path, dtype: np.dtype[Number], shape: tuple[int, ...]) -> NDArray[Number]:
    try:
        array: NDArray[Number] = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise Unreadable(f"{file} is damaged ({error})") from None
    if (array.dtype, array.shape) != (dtype, shape):
        raise Unreadable(f"{file} holds {array.dtype} {array.shape}, the index says {dtype} {shape}")
    return array
