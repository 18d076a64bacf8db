"""From a text or a picture to what is like it."""

from pathlib import Path

from PIL import Image

from manyview.errors import UsageError
from manyview.search.encoder import Encoder, unit_rows
from manyview.search.hits import Hit
from manyview.search.index import Index
from manyview.search.thumbnail import UNDECODABLE, thumbnail

__all__ = ["read_picture", "search"]


def search(
    model: Encoder,
    index: Index,
    *,
    text: str | None = None,
    image: str | Path | bytes | Image.Image | None = None,
    top: int = 10,
) -> list[Hit]:
    """The `top` pictures of the index most like a text or a picture (a file, its bytes, or an open one)."""
    if (text is None) == (image is None):
        raise UsageError("a search takes either a text or a picture: give exactly one of them")
    if text is not None:
        if not text.strip():
            raise UsageError("the text to search for is empty: say what the picture shows")
        features = model.encode_text([text])
    else:
        picture = read_picture(image) if isinstance(image, str | Path | bytes) else image
        features = model.encode_image([picture])
    return index.search(unit_rows(features)[0], top)


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
