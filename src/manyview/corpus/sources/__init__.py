"""Sources: what people have, read as two tables."""

from manyview.corpus.sources.config import SourceConfig, completed_config, open_source
from manyview.corpus.sources.contract import IMAGES, VIEWS, Batch, Part, Source
from manyview.corpus.sources.guess import guess_source

__all__ = [
    "IMAGES",
    "VIEWS",
    "Batch",
    "Part",
    "Source",
    "SourceConfig",
    "completed_config",
    "guess_source",
    "open_source",
]
