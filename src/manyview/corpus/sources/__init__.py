"""Sources: what people have, read as two tables."""

from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch, Part, Source

__all__ = ["IMAGES", "VIEWS", "Batch", "Part", "Source"]
