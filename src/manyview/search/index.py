"""Index: the features of pictures and what is known of them, searched exactly."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike
from pydantic import ValidationError

from manyview.corpus import Corpus
from manyview.errors import DataError, UsageError
from manyview.search.encoder import Encoder, Features
from manyview.search.hits import Hit
from manyview.search.layout import CARD, FEATURES, METADATA, IndexCard, Origin
from manyview.search.origin import corpus_origin, model_origin
from manyview.search.top import top_rows
from manyview.search.writer import write_index

__all__ = ["Index", "run_index"]

_UNREADABLE = (pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True)
class Index:
    """An index folder, opened for reading; `features` [rows, dim] stay on disk until they are touched."""

    folder: Path
    card: IndexCard
    features: Features

    @classmethod
    def build(
        cls,
        model: Encoder,
        corpus: Corpus,
        folder: str | Path,
        splits: Sequence[str] | None = None,
        *,
        model_folder: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> "Index":
        """Index the named splits of a corpus (all when None) in `folder`; an index already there is replaced.

        `model_folder` is where the model was read from, noted so that `run_index` can tell when it changed.
        """
        write_index(
            model,
            corpus,
            Path(folder),
            splits,
            model_origin=Origin() if model_folder is None else model_origin(Path(model_folder)),
            corpus_origin=corpus_origin(corpus),
            progress=progress,
        )
        return cls.open(folder)

    @classmethod
    def open(cls, folder: str | Path) -> "Index":
        """Open an index; UsageError for what is not one, DataError for a damaged one."""
        folder = Path(folder)
        if not (folder / CARD).is_file():
            raise UsageError(f"no index at {folder}: `manyview search RUN QUERY` makes one, in RUN/index")
        try:
            card = IndexCard.model_validate_json((folder / CARD).read_bytes())
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise DataError(f"{folder / CARD} is damaged ({reason}): build the index again") from None
        features = _open_features(folder / FEATURES)
        if features.shape != (card.rows, card.dim):
            raise DataError(
                f"{folder / FEATURES} holds {features.shape}, {CARD} says {(card.rows, card.dim)}: "
                "build the index again"
            )
        return cls(folder, card, features)

    def __len__(self) -> int:
        return self.card.rows

    def search(self, query_features: ArrayLike, top: int = 10) -> list[Hit]:
        """The `top` rows of greatest inner product with one query [dim], best first, ties in row order."""
        query = np.asarray(query_features, dtype=np.float32)
        if query.shape != (self.card.dim,):
            raise UsageError(
                f"the query has shape {query.shape}, this index takes ({self.card.dim},): "
                "it was built with another model"
            )
        if top < 1:
            raise UsageError(f"top is {top}, allowed: 1 or more")
        rows, scores = top_rows(self.features, query, top)
        found = self._metadata(rows.tolist())
        return [
            _hit(rank, float(score), known)
            for rank, (score, known) in enumerate(zip(scores, found, strict=True), start=1)
        ]

    def _metadata(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        file = self.folder / METADATA
        try:
            with pq.ParquetFile(file) as metadata:
                sizes = [metadata.metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
                ends = np.cumsum(sizes)
                groups = np.searchsorted(ends, rows, side="right").tolist()
                tables = {group: metadata.read_row_group(group) for group in set(groups)}
                found = []
                for row, group in zip(rows, groups, strict=True):
                    place = row - int(ends[group]) + sizes[group]
                    found += tables[group].slice(place, 1).to_pylist()
        except (*_UNREADABLE, IndexError) as error:
            raise DataError(f"{file} is damaged ({type(error).__name__}): build the index again") from None
        return found


def run_index(
    run: str | Path,
    model: Encoder,
    corpus: Corpus,
    splits: Sequence[str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Index:
    """The index kept in RUN/index, built anew when RUN/model, the corpus or the splits are other ones.

    `run` may also be the folder of a model itself.
    """
    run = Path(run)
    folder = run / "index"
    model_folder = run / "model" if (run / "model").is_dir() else run
    wanted = (model_origin(model_folder).sha256, corpus_origin(corpus).sha256)
    chosen = set(corpus.splits if splits is None else splits)
    if folder.is_dir():
        try:
            index = Index.open(folder)
        except (UsageError, DataError):
            index = None
        if index is not None:
            held = (index.card.model.sha256, index.card.corpus.sha256)
            if held == wanted and set(index.card.splits) == chosen:
                return index
    return Index.build(model, corpus, folder, splits, model_folder=model_folder, progress=progress)


def _open_features(file: Path) -> Features:
    try:
        features: Features = np.load(file, mmap_mode="r", allow_pickle=False)
    except _UNREADABLE as error:
        raise DataError(f"{file} is damaged ({error}): build the index again") from None
    return features


def _hit(rank: int, score: float, known: dict[str, Any]) -> Hit:
    titles = tuple((title["lang"], title["text"]) for title in known["titles"])
    return Hit(**{**known, "rank": rank, "score": score, "titles": titles})
