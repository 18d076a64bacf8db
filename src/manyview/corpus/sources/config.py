"""Config: any source as a user writes it, or as a path alone shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field

from manyview.corpus.sources.contract import Source
from manyview.corpus.sources.folder import FolderConfig, FolderSource
from manyview.corpus.sources.table import TableConfig, TableSource
from manyview.corpus.sources.webdataset import WebDatasetConfig, WebDatasetSource

__all__ = ["SourceConfig", "open_source"]

SourceConfig = Annotated[TableConfig | FolderConfig | WebDatasetConfig, Field(discriminator="type")]

OPENERS: dict[str, Callable[[Any], Source]] = {
    "table": TableSource,
    "folder": FolderSource,
    "webdataset": WebDatasetSource,
}


def open_source(config: SourceConfig) -> Source:
    """The source a config describes. Nothing is read before `parts()`."""
    return OPENERS[config.type](config)
