"""Search: an index of pictures, a query, and a page of what was found."""

from manyview.search.answer import Answer, answer
from manyview.search.encoder import Encoder
from manyview.search.hits import Hit
from manyview.search.index import Index, run_index
from manyview.search.page import render_page
from manyview.search.query import search

__all__ = ["Answer", "Encoder", "Hit", "Index", "answer", "render_page", "run_index", "search"]
