"""Web: pages become images and what the pages say about them."""

from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.page import Page, PageImage, PageText, read_page
from manyview.corpus.web.repeated import page_of
from manyview.corpus.web.source import PagesConfig, PagesSource, WarcConfig, WarcSource

__all__ = [
    "Page",
    "PageImage",
    "PageText",
    "PagesConfig",
    "PagesSource",
    "WarcConfig",
    "WarcSource",
    "WebRules",
    "page_of",
    "read_page",
]
