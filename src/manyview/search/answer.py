"""Answer: a query put to a run, a model or an index, and what to show of it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from rich.table import Table

from manyview.corpus import Corpus
from manyview.errors import UsageError
from manyview.search.encoder import Encoder
from manyview.search.hits import Hit
from manyview.search.index import Index, run_index
from manyview.search.layout import CARD
from manyview.search.origin import model_origin
from manyview.search.page import render_page
from manyview.search.query import read_picture, search

__all__ = ["Answer", "answer"]


@dataclass(frozen=True)
class Answer:
    """The hits of one query, the index they come from, and the query itself."""

    hits: tuple[Hit, ...]
    index: Index
    text: str | None
    image: bytes | None
    model: Path

    def page(self) -> str:
        """The hits as a self-contained HTML page of thumbnails."""
        about = f"model {self.model}"
        return render_page(self.hits, total=len(self.index), text=self.text, image=self.image, about=about)

    def table(self) -> Table:
        """The hits as a table for a terminal."""
        table = Table("rank", "score", box=None, header_style="bold")
        for name in ("title", "id"):
            table.add_column(name, overflow="fold")
        for hit in self.hits:
            table.add_row(str(hit.rank), f"{hit.score:.3f}", hit.title, hit.id)
        return table

    def as_json(self) -> dict[str, Any]:
        """The hits without their pictures, for machines."""
        return {"query": self.text, "searched": len(self.index), "hits": [hit.as_json() for hit in self.hits]}


def answer(
    load: Callable[[Path], Encoder],
    path: str | Path,
    *,
    corpus: str | None = None,
    text: str | None = None,
    image: str | Path | None = None,
    top: int = 10,
) -> Answer:
    """Search a run (its own corpus, or another), a model folder (a corpus is needed) or an index.

    `load` makes the model of a folder. Raises UsageError for a path that is none of these.
    """
    path = Path(path)
    picture = None if image is None else read_picture(image)  # a wrong picture is found before the index is built
    if (path / CARD).is_file():
        index = Index.open(path)
        model = _model_of(index)
        encoder = load(model)
    else:
        model, encoder = path, load(path)
        index = run_index(path, encoder, Corpus.open(corpus or _own_corpus(path)))
    hits = search(encoder, index, text=text, image=picture, top=top)
    return Answer(tuple(hits), index, text, picture, model)


def _model_of(index: Index) -> Path:
    """The model that an index was built with: beside it in a run, else where it lay then."""
    beside = index.folder.parent / "model"
    return beside if model_origin(beside).sha256 == index.card.model.sha256 else Path(index.card.model.path)


def _own_corpus(run: Path) -> str:
    """The corpus that a run was trained on."""
    try:
        config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
        if isinstance(config["corpus"], str):
            return config["corpus"]
        reason = "was trained on several corpora"
    except (OSError, yaml.YAMLError, KeyError, TypeError):
        reason = "does not say which corpus to search"
    raise UsageError(f"{run} {reason}: name one with --corpus")
