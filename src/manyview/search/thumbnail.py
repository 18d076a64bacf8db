"""Thumbnails: small WebP pictures for pages."""

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

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
        picture = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image.copy()
    picture.draft("RGB", (2 * side_px, 2 * side_px))
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    picture = picture.convert("RGB")
    picture.thumbnail((side_px, side_px), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=4)
    return file.getvalue()
