"""Pictures: encoded images become what taggers take, or the reason why not."""

from __future__ import annotations

import struct

from PIL import Image

from manyview.errors import DataError
from manyview.tags.config import TagConfig

__all__ = ["picture"]

_REASONS = (  # words of decoders, and what is counted
    ("not an image", "image: no known format"),
    ("truncated", "image: truncated"),
    ("allowed:", "image: too many pixels"),
    ("exceeds limit", "image: too many pixels"),
)


def picture(data: bytes, config: TagConfig) -> Image.Image | str:
    """RGB, upright, at most `max_side_px` long; or the reason why it is left out."""
    from manyview.data.images import decode_pixels  # noqa: PLC0415  its package imports torch

    if not data:
        return "image: no bytes"
    try:
        image = Image.fromarray(decode_pixels(data, config.max_side_px, config.max_pixels))
    except (DataError, RuntimeError, EOFError, IndexError, OverflowError, struct.error, Warning) as error:
        # Pillow's plug-ins let all but the first through; a warning of too many pixels may be an error by a filter
        return next((reason for words, reason in _REASONS if words in str(error).lower()), "image: damaged")
    short, long = sorted(image.size)
    if short < config.min_side_px:
        return "image: too small"
    if long > config.max_aspect * short:
        return "image: too narrow"
    image.thumbnail((config.max_side_px, config.max_side_px), Image.Resampling.BICUBIC)
    return image
