"""Look: what one encoded image is, or why it cannot be decoded."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, UnidentifiedImageError

from manyview.imaging import format_of, on_white, open_image, refusal

__all__ = ["Look", "decoded", "look"]

_REDUCED_PX = 64
_LEAST_STEP = 3


@dataclass(frozen=True)
class Look:
    """Format and mode as Pillow names them, sides in pixels, a perceptual hash, and the picture itself in 8 x 8 pixels.

    A flat picture has no hash: it would look like any other.
    """

    format: str
    mode: str
    width: int
    height: int
    near_hash: int | None
    reduced: bytes


def look(data: bytes, max_pixels: int) -> Look | str:
    """What the image is, or a short reason why it cannot be decoded to its last row."""
    opened = decoded(data, max_pixels, _REDUCED_PX)
    if isinstance(opened, str):
        return opened
    image, (width, height), mode = opened
    white = on_white(image)
    reduced = white.resize((8, 8), Image.Resampling.BOX).tobytes()
    return Look(image.format or "unknown", mode, width, height, _near_hash(white), reduced)


def decoded(data: bytes, max_pixels: int, least_px: int) -> tuple[Image.Image, tuple[int, int], str] | str:
    """The decoded image with its true size and mode, or why there is none.

    JPEG is decoded at a fraction of its size that leaves at least `least_px` a side, which still reads every byte.
    """
    if not data:
        return "image: no bytes"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = open_image(data)
            size, mode = image.size, image.mode
            if size[0] * size[1] > max_pixels:
                return "image: too many pixels"
            image.draft("RGB", (least_px, least_px))
            image.load()
    except UnidentifiedImageError:
        return "image: damaged" if format_of(data) else refusal(data)
    except Image.DecompressionBombError:
        return "image: too many pixels"
    except Exception as error:  # decoders raise whatever they stumble over
        return "image: truncated" if "truncated" in str(error).lower() else "image: damaged"
    return image, size, mode


def _near_hash(image: Image.Image) -> int | None:
    """64 bits as an int64: which cells of an 8 x 8 gray reduction are brighter than their right neighbor.

    A step counts from three levels on, which keeps flat areas quiet; None when no step counts.
    """
    gray = image.convert("L").resize((9, 8), Image.Resampling.BOX)
    levels = np.asarray(gray, dtype=np.int16)
    steps = levels[:, :-1] - levels[:, 1:]
    if np.abs(steps).max() < _LEAST_STEP:
        return None
    return int.from_bytes(np.packbits(steps >= _LEAST_STEP).tobytes(), "big", signed=True)
