"""Answer: a query put to a run, a model or an index, and what to show of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table
from rich.text import Text

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.search.encoder import Encoder
from manyview.search.hits import Hit
from manyview.search.index import Index, run_index
from manyview.search.layout import CARD
from manyview.search.origin import model_origin
from manyview.search.page import render_page
from manyview.search.query import read_picture, search
from manyview.search.weights import RECORD, check_weights, with_weights

__all__ = ["Answer", "answer"]


@dataclass(frozen=True)
class Answer:
    """The hits of one query, the index they come from, and the query itself.

    `by` says what ranked, the record's vector or one view; `weights` are those of the views in that vector.
    """

    hits: tuple[Hit, ...]
    index: Index
    text: str | None
    image: bytes | None
    model: Path
    by: str
    weights: Mapping[str, float]
    per_group: int | None = None

    def page(self) -> str:
        """The hits as a self-contained HTML page."""
        return render_page(
            self.hits,
            total=len(self.index),
            text=self.text,
            image=self.image,
            about=f"model {self.model}",
            by=self.by,
            weights=self.weights,
            per_group=self.per_group,
        )

    def table(self) -> Table:
        """The hits as a table for a terminal; of the views of a record, the one most like the query is bold."""
        views = [name for name in self.index.views if any(name in hit.views for hit in self.hits)]
        table = Table("rank", "score", box=None, header_style="bold")
        for name in views:
            table.add_column(name, justify="right", overflow="fold", max_width=12)
        for name in ("record", "id"):
            table.add_column(name, overflow="fold")
        for hit in self.hits:
            table.add_row(str(hit.rank), f"{hit.score:.3f}", *_cosines(hit, views), hit.title, hit.id)
        return table

    def as_json(self) -> dict[str, Any]:
        """The hits without their pictures, for machines."""
        return {
            "query": self.text,
            "by": self.by,
            "weights": dict(self.weights),
            "per_group": self.per_group,
            "searched": len(self.index),
            "hits": [hit.as_json() for hit in self.hits],
        }


def answer(
    load: Callable[[Path], Encoder],
    path: str | Path,
    *,
    corpus: str | None = None,
    text: str | None = None,
    image: str | Path | None = None,
    top: int = 10,
    by: str = RECORD,
    weights: Mapping[str, float] | None = None,
    per_group: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Answer:
    """Search a run (its own corpus, or another), a model folder (a corpus is needed) or an index.

    `load` makes the model of a folder; `by`, `weights` and `per_group` are those of `Index.search`; `progress` hears
    of the records of an index that is built. Raises UsageError for a path that is none of these.
    """
    path = Path(path)
    picture = None if image is None else read_picture(image)  # what is wrong is found before the index is built
    check_weights(weights or {})
    if (path / CARD).is_file():
        index = Index.open(path)
        model = _model_of(index)
        encoder = load(model)
    else:
        model, encoder = path, load(path)
        index = run_index(path, encoder, Corpus.open(corpus) if corpus else _own_corpus(path), progress=progress)
    hits = search(encoder, index, text=text, image=picture, top=top, by=by, weights=weights, per_group=per_group)
    used = with_weights(index.weights, weights) if weights else index.weights
    return Answer(tuple(hits), index, text, picture, model, by, used, per_group)


def _cosines(hit: Hit, views: list[str]) -> list[Text]:
    """The cosine of each view; nothing where the record lacks it."""
    best = max(hit.views.values(), default=0.0)
    scores = [hit.views.get(name) for name in views]
    return [Text("") if score is None else Text(f"{score:.2f}", "bold" if score == best else "") for score in scores]


def _model_of(index: Index) -> Path:
    """The model that an index was built with: beside it in a run, else where it lay then.

    Raises UsageError where neither is that model: its vectors cannot be compared with those of the index.
    """
    built_with = index.card.model
    if not built_with.sha256:
        raise UsageError(f"{index.folder} does not say which model it was built with: search it with Index.search")
    for folder in (index.folder.parent / "model", Path(built_with.path)):
        if model_origin(folder).sha256 == built_with.sha256:
            return folder
    raise UsageError(
        f"{index.folder} was built with another model than the one that is now in {built_with.path}: "
        "`manyview search RUN QUERY` builds the index of a run again"
    )


def _own_corpus(run: Path) -> Corpus:
    """The corpus that a run was trained on; of several the one with pictures: others lend their words only."""
    try:
        trained_on = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))["corpus"]
        names = [trained_on] if isinstance(trained_on, str) else list(trained_on)
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        raise UsageError(f"{run} does not say which corpus to search: name one with --corpus") from None
    corpora = [Corpus.open(name) for name in names]
    if len(corpora) > 1:
        corpora = [corpus for corpus in corpora if any(map(corpus.image_count, corpus.splits))]
    if len(corpora) != 1:
        raise UsageError(f"{run} was trained on several corpora: name one with --corpus, of {', '.join(names)}")
    return corpora[0]
