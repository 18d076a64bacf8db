"""Sources: what people have, read as two tables. Any of them by its config: `config`; by its path: `guess`."""

from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch, Part, Source

__all__ = ["IMAGES", "VIEWS", "Batch", "Part", "Source"]
