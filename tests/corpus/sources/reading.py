"""Reads whole sources and holds every part to the contract."""

import pickle
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from manyview.corpus.sources import IMAGES, VIEWS, Source

Row = dict[str, Any]


@dataclass
class Everything:
    """What all parts of a source give, in order."""

    images: list[Row] = field(default_factory=list)
    views: list[Row] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)

    def texts(self, *names: str) -> list[tuple[Any, ...]]:
        """Some columns of the views; id, kind and text by default."""
        return [tuple(row[name] for name in names or ("id", "kind", "text")) for row in self.views]

    def column(self, name: str) -> list[Any]:
        """One column of the images."""
        return [row[name] for row in self.images]


def everything(source: Source) -> Everything:
    """All batches of all parts, each part sent through pickle and read twice."""
    parts = source.parts()
    assert len({part.name for part in parts}) == len(parts)
    assert [part.version for part in parts] == [part.version for part in source.parts()]
    found = Everything()
    for part in parts:
        once, again = list(part.read()), list(pickle.loads(pickle.dumps(part)).read())
        assert [batch.images for batch in once] == [batch.images for batch in again]
        assert [batch.views for batch in once] == [batch.views for batch in again]
        assert [batch.skipped for batch in once] == [batch.skipped for batch in again]
        for batch in once:
            assert batch.images.schema == IMAGES and batch.views.schema == VIEWS
            batch.images.validate(full=True)
            batch.views.validate(full=True)
            found.images += batch.images.to_pylist()
            found.views += batch.views.to_pylist()
            found.skipped += batch.skipped
    return found
