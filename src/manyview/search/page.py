"""One HTML page of what was found: it holds its pictures and its style, and asks no server for anything."""

import base64
from collections.abc import Sequence
from typing import Any

from manyview.page import page_environment
from manyview.search.hits import Hit
from manyview.search.thumbnail import thumbnail

__all__ = ["render_page"]


def render_page(
    hits: Sequence[Hit],
    *,
    total: int,
    text: str | None = None,
    image: bytes | None = None,
    about: str = "",
    languages: Sequence[str] = ("en", "zh"),
) -> str:
    """HTML of the query (a text or the bytes of a picture) and its hits among `total` pictures.

    `about` is a line for the foot of the page, such as the model that was asked. A hit is shown with its
    titles in `languages`, in that order, or with its first title when it has none of them.
    """
    filters: dict[str, Any] = {"webp": _data_uri, "titles": lambda hit: _titles(hit, languages)}
    return (
        page_environment("manyview.search", filters)
        .get_template("page.html")
        .render(
            hits=hits,
            best=max((hit.score for hit in hits), default=0.0),
            total=total,
            text=text,
            picture=None if image is None else thumbnail(image),
            about=about,
        )
    )


def _data_uri(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _titles(hit: Hit, languages: Sequence[str]) -> list[tuple[str, str]]:
    known = dict(hit.titles)
    return [(lang, known[lang]) for lang in languages if lang in known] or list(hit.titles[:1])
