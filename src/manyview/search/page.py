"""One HTML page of what was found: it holds its pictures and its style, and asks no server for anything."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from manyview.page import page_environment
from manyview.search.hits import Hit
from manyview.search.layout import IMAGE
from manyview.search.thumbnail import thumbnail
from manyview.search.weights import RECORD

__all__ = ["render_page"]

_VIEW_NAMES = {IMAGE: "picture"}  # what people who have never seen a view call it


def render_page(
    hits: Sequence[Hit],
    *,
    total: int,
    text: str | None = None,
    image: bytes | None = None,
    about: str = "",
    languages: Sequence[str] = ("en", "zh"),
    by: str = RECORD,
    weights: Mapping[str, float] | None = None,
    per_group: int | None = None,
) -> str:
    """HTML of the query (a text, the bytes of a picture, or both) and its hits among `total` records.

    `about` is a line for the foot of the page, such as the model that was asked. A hit is shown with its
    texts in `languages`, in that order, or with its first one when it has none of them. `by`, `weights` and
    `per_group` say what ranked.
    """
    filters: dict[str, Any] = {
        "webp": _data_uri,
        "titles": lambda hit: _in_languages(hit.titles, languages),
        "texts": lambda hit, view: _in_languages([(lang, t) for kind, lang, t in hit.texts if kind == view], languages),
        "view": lambda name: _VIEW_NAMES.get(name, name),
    }
    return (
        page_environment("manyview.search", filters)
        .get_template("page.html")
        .render(
            hits=hits,
            longest=max((score for hit in hits for score in (hit.score, *hit.views.values())), default=0.0),
            total=total,
            text=text,
            picture=None if image is None else thumbnail(image),
            about=about,
            by=by,
            weights=weights or {},
            per_group=per_group,
        )
    )


def _data_uri(webp: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(webp).decode("ascii")


def _in_languages(texts: Sequence[tuple[str, str]], languages: Sequence[str]) -> list[tuple[str, str]]:
    by_language = dict(texts)
    return [(lang, by_language[lang]) for lang in languages if lang in by_language] or list(texts[:1])
