"""Config: any source as a user writes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from pydantic import Field

from manyview.corpus.sources.built import CorpusConfig, CorpusSource
from manyview.corpus.sources.chinese_clip import ChineseClipConfig, ChineseClipSource
from manyview.corpus.sources.coco import CocoConfig, CocoSource
from manyview.corpus.sources.contract import Source
from manyview.corpus.sources.ernie_vil import ErnieVilConfig, ErnieVilSource
from manyview.corpus.sources.folder import FolderConfig, FolderSource
from manyview.corpus.sources.huggingface import HuggingFaceConfig, HuggingFaceSource
from manyview.corpus.sources.images_views import ImagesViewsConfig, ImagesViewsSource
from manyview.corpus.sources.table import TableConfig, TableSource
from manyview.corpus.sources.webdataset import WebDatasetConfig, WebDatasetSource
from manyview.corpus.web.source import PagesConfig, PagesSource, WarcConfig, WarcSource

__all__ = ["SourceConfig", "completed_config", "open_source"]

AnySource = (
    TableConfig
    | FolderConfig
    | HuggingFaceConfig
    | WebDatasetConfig
    | CocoConfig
    | ErnieVilConfig
    | ChineseClipConfig
    | ImagesViewsConfig
    | CorpusConfig
    | WarcConfig
    | PagesConfig
)
SourceConfig = Annotated[AnySource, Field(discriminator="type")]


class Completing(Source, Protocol):
    """A source that can say what it guessed."""

    def completed(self) -> Any:
        """The config with what it left open filled in from the data."""


OPENERS: dict[str, Callable[[Any], Completing]] = {
    "table": TableSource,
    "folder": FolderSource,
    "huggingface": HuggingFaceSource,
    "webdataset": WebDatasetSource,
    "coco": CocoSource,
    "ernie_vil": ErnieVilSource,
    "chinese_clip": ChineseClipSource,
    "images_views": ImagesViewsSource,
    "corpus": CorpusSource,
    "warc": WarcSource,
    "pages": PagesSource,
}


def open_source(config: SourceConfig) -> Source:
    """The source a config describes. Nothing is read before `parts()`."""
    return OPENERS[config.type](config)


def completed_config(config: SourceConfig) -> SourceConfig:
    """The config with the columns that it leaves open guessed from the data; `describe()` then says them all.

    Raises UsageError for what is not there.
    """
    completed: SourceConfig = OPENERS[config.type](config).completed()
    return completed
