"""Web: pages become images and what the pages say about them."""

from manyview.corpus.web.filters import WebRules
from manyview.corpus.web.page import Page, PageImage, PageText, read_page

__all__ = ["Page", "PageImage", "PageText", "WebRules", "read_page"]
