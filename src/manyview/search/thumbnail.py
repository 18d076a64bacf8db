"""Thumbnails: small WebP pictures for pages."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from manyview.imaging import on_white, open_image

__all__ = ["UNDECODABLE", "thumbnail"]

UNDECODABLE = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
)


def thumbnail(image: bytes | Image.Image, side_px: int = 320, quality: int = 80) -> bytes:
    """WebP of the upright picture on white, at most `side_px` long and wide, never enlarged.

    Raises one of UNDECODABLE for bytes that are no picture, are cut short or unpack beyond Pillow's limit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        picture = open_image(image) if isinstance(image, bytes) else image.copy()
    picture.draft("RGB", (2 * side_px, 2 * side_px))
    picture = ImageOps.exif_transpose(picture)
    picture = on_white(picture)
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()
