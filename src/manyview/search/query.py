"""From a text, a picture or both to the records most like them."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from PIL import Image

from manyview.errors import UsageError
from manyview.search.encoder import Encoder, Features, unit_rows
from manyview.search.hits import Hit
from manyview.search.index import Index
from manyview.search.thumbnail import UNDECODABLE, thumbnail
from manyview.search.weights import RECORD

__all__ = ["query_vector", "read_picture", "search"]


def search(
    model: Encoder,
    index: Index,
    *,
    text: str | None = None,
    image: str | Path | bytes | Image.Image | None = None,
    top: int = 10,
    by: str = RECORD,
    weights: Mapping[str, float] | None = None,
    per_group: int | None = None,
) -> list[Hit]:
    """The `top` records of the index most like a text, a picture (a file, its bytes, or an open one), or both.

    `by`, `weights` and `per_group` are those of `Index.search`.
    """
    return index.search(query_vector(model, text=text, image=image), top, by=by, weights=weights, per_group=per_group)


def query_vector(
    model: Encoder, *, text: str | None = None, image: str | Path | bytes | Image.Image | None = None
) -> Features:
    """[dim], of length 1: a text, a picture, or the normalised sum of both, which count alike."""
    if text is None and image is None:
        raise UsageError("a search takes a text, a picture or both: give at least one of them")
    rows = []
    if text is not None:
        if not text.strip():
            raise UsageError("the text to search for is empty: say what you look for")
        rows.append(unit_rows(model.encode_text([text])))
    if image is not None:
        picture = read_picture(image) if isinstance(image, str | Path | bytes) else image
        rows.append(unit_rows(model.encode_image([picture])))
    total = np.concatenate(rows).sum(axis=0)
    return unit_rows(total / np.linalg.norm(total)) if len(rows) > 1 else total


def read_picture(image: str | Path | bytes) -> bytes:
    """The bytes of a picture that Pillow can decode; UsageError says what else was found."""
    name = "the picture" if isinstance(image, bytes) else str(image)
    try:
        content = image if isinstance(image, bytes) else Path(image).read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read the picture {name}: {error.strerror}") from None
    try:
        thumbnail(content, side_px=16)
    except UNDECODABLE:
        raise UsageError(f"{name} is not a picture that can be decoded: give a JPEG, PNG or WebP file") from None
    return content
