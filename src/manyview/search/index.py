"""Index: the vectors of records and of their views, and what is known of the records, searched exactly."""

import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import ArrayLike, NDArray
from pydantic import ValidationError

from manyview.corpus import Corpus
from manyview.errors import DataError, UsageError
from manyview.search.encoder import Encoder, Features
from manyview.search.hits import Hit
from manyview.search.layout import CARD, FORMAT, IMAGE, METADATA, IndexCard, Origin, record_files, view_files
from manyview.search.origin import corpus_origin, model_origin
from manyview.search.top import first_of_groups, top_rows
from manyview.search.view_files import Unreadable, open_groups, open_view
from manyview.search.view_rows import RowNumbers, ViewRows, WeightedRecords
from manyview.search.weights import RECORD, check_view, with_weights
from manyview.search.writer import write_index

__all__ = ["Index", "run_index"]

_REMEDY = "build the index again: delete the folder, and `manyview search RUN QUERY` makes a new one"
_UNREADABLE = (pa.ArrowException, OSError, ValueError)


@dataclass(frozen=True)
class Index:
    """An index folder, opened for reading; the vectors stay on disk until they are touched.

    `records` are the vectors of the records, `views` those of each view: the picture first, then the kinds of text
    that most records have. `groups` holds a number a record, equal for records of one group.
    """

    folder: Path
    card: IndexCard
    records: ViewRows
    views: Mapping[str, ViewRows]
    groups: RowNumbers

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
        """Open an index; UsageError for what is not one, DataError for one that is damaged or of another format."""
        folder = Path(folder)
        if not (folder / CARD).is_file():
            raise UsageError(f"no index at {folder}: `manyview search RUN QUERY` makes one, in RUN/index")
        try:
            return _open_index(folder)
        except Unreadable as error:
            raise DataError(f"{error}: {_REMEDY}") from None

    def __len__(self) -> int:
        return self.card.rows

    @property
    def features(self) -> Features:
        """The vectors [m, dim] of the records that have one, all but those whose views all have the weight 0."""
        return self.records.features

    @property
    def weights(self) -> dict[str, float]:
        """What each view counts in the vectors of the records."""
        weights = {view.name: view.weight for view in self.card.views}
        return {name: weights[name] for name in self.views}

    def search(
        self,
        query_features: ArrayLike,
        top: int = 10,
        *,
        by: str = RECORD,
        weights: Mapping[str, float] | None = None,
        per_group: int | None = None,
    ) -> list[Hit]:
        """The `top` records of greatest inner product with one query [dim], best first, ties in row order.

        `by` says what is compared: the record's vector, or one view, and then records without it are not ranked.
        `weights` of views stand in place of the model's; the vectors of the records are then computed from the views.
        `per_group`: how many records of one group there may be among the hits, the best of them; None: any number.
        """
        query = np.asarray(query_features, dtype=np.float32)
        if query.shape != (self.card.dim,):
            raise UsageError(
                f"the query has shape {query.shape}, this index takes ({self.card.dim},): "
                "it was built with another model"
            )
        if top < 1:
            raise UsageError(f"top is {top}, allowed: 1 or more")
        ranked = self._ranked(by, weights or {})
        rows, scores = self._top(ranked, query, top, per_group)
        return self._hits(rows, scores.tolist(), query)

    def _top(
        self, ranked: ViewRows | WeightedRecords, query: Features, top: int, per_group: int | None
    ) -> tuple[RowNumbers, NDArray[np.float64]]:
        """(rows, scores) of the best records; more are ranked until enough groups are among them."""
        if per_group is not None and per_group < 1:
            raise UsageError(f"per_group is {per_group}, allowed: 1 or more")
        count = top if per_group is None else 8 * top
        while True:
            positions, scores = top_rows(ranked, query, count)
            rows = np.asarray(ranked.rows[positions])
            if per_group is None:
                return rows, scores
            first = first_of_groups(self.groups[rows], per_group)[:top]
            if len(first) == top or count >= len(ranked):
                return rows[first], scores[first]
            count *= 8

    def _ranked(self, by: str, weights: Mapping[str, float]) -> ViewRows | WeightedRecords:
        """The vectors to compare with the query."""
        if by != RECORD:
            check_view(by, (RECORD, *self.views))
            if weights:
                raise UsageError(f"weights make up the record's vector, and {by!r} alone ranks here: leave one out")
            return self.views[by]
        if not weights:
            return self.records
        return WeightedRecords(self.views, with_weights(self.weights, weights), self.card.dim)

    def _hits(self, rows: RowNumbers, scores: Sequence[float], query: Features) -> list[Hit]:
        """The records of these rows, with the inner product of each of their views with the query."""
        cosines = {name: view.cosines(query, rows) for name, view in self.views.items()}
        records = zip(rows.tolist(), scores, self._metadata(rows.tolist()), strict=True)
        return [
            _hit(rank, score, {name: of_view[row] for name, of_view in cosines.items() if row in of_view}, metadata)
            for rank, (row, score, metadata) in enumerate(records, start=1)
        ]

    def _metadata(self, rows: Sequence[int]) -> list[dict[str, Any]]:
        file = self.folder / METADATA
        try:
            with pq.ParquetFile(file) as metadata:
                sizes = [metadata.metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
                ends = np.cumsum(sizes)
                groups = np.searchsorted(ends, rows, side="right").tolist()
                tables = {group: metadata.read_row_group(group) for group in set(groups)}
                records = []
                for row, group in zip(rows, groups, strict=True):
                    first = int(ends[group]) - sizes[group]
                    records += tables[group].slice(row - first, 1).to_pylist()
        except (*_UNREADABLE, IndexError) as error:
            raise DataError(f"{file} is damaged ({type(error).__name__}): {_REMEDY}") from None
        return records


def run_index(
    run: str | Path,
    model: Encoder,
    corpus: Corpus,
    splits: Sequence[str] | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Index:
    """The index kept in RUN/index, built anew when RUN/model, the corpus or the splits are other ones.

    `run` may also be the folder of a model itself. A warning says so when an index was damaged or of another format.
    """
    run = Path(run)
    folder = run / "index"
    model_folder = run / "model" if (run / "model").is_dir() else run
    wanted = (model_origin(model_folder).sha256, corpus_origin(corpus).sha256)
    chosen = set(corpus.splits if splits is None else splits)
    if (folder / CARD).is_file():
        try:
            index = _open_index(folder)
            held = (index.card.model.sha256, index.card.corpus.sha256)
            if held == wanted and set(index.card.splits) == chosen:
                return index
        except Unreadable as error:
            warnings.warn(f"{error}: the index is built again", stacklevel=2)
    return Index.build(model, corpus, folder, splits, model_folder=model_folder, progress=progress)


def _open_index(folder: Path) -> Index:
    card = _read_card(folder / CARD)
    records = open_view(folder, record_files(), card.record_rows, card.dim)
    views = {
        view.name: open_view(folder, view_files(number), view.rows, card.dim) for number, view in enumerate(card.views)
    }
    try:
        rows = pq.read_metadata(folder / METADATA).num_rows
    except _UNREADABLE as error:
        raise Unreadable(f"{folder / METADATA} is damaged ({type(error).__name__})") from None
    if rows != card.rows:
        raise Unreadable(f"{folder / METADATA} holds {rows} rows, the index says {card.rows}")
    order = sorted(views, key=lambda name: (name != IMAGE, -len(views[name]), name))
    return Index(folder, card, records, {name: views[name] for name in order}, open_groups(folder, card.rows))


def _read_card(file: Path) -> IndexCard:
    try:
        content = json.loads(file.read_bytes())
        if isinstance(content, dict) and content.get("format") != FORMAT:
            raise Unreadable(f"{file} has the format {content.get('format')}, this manyview reads {FORMAT}")
        return IndexCard.model_validate(content)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
    except (OSError, ValueError) as error:
        reason = str(error)
    raise Unreadable(f"{file} is damaged ({reason})")


def _hit(rank: int, score: float, views: Mapping[str, float], metadata: dict[str, Any]) -> Hit:
    titles = tuple((title["lang"], title["text"]) for title in metadata["titles"])
    texts = tuple((text["kind"], text["lang"], text["text"]) for text in metadata["texts"])
    return Hit(**{**metadata, "rank": rank, "score": score, "titles": titles, "texts": texts, "views": views})
