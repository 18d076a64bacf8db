"""Images: bytes become RGB, and RGB becomes the crop of a view."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from manyview.data.views import Augment
from manyview.errors import DataError

__all__ = ["MAX_PIXELS", "crop_view", "decode_image"]

MAX_PIXELS = 178_956_970  # Pillow's own bomb limit
_SIGNATURES = {b"\xff\xd8\xff": "JPEG", b"\x89PNG": "PNG", b"RIFF": "WEBP", b"GIF8": "GIF"}  # the rest is tried in turn
_WHITE = (255, 255, 255, 255)
_GENTLE_MIN_SIDE = 0.7
_GENTLE_ASPECT = 1.1


def decode_image(source: bytes | str | Path | Image.Image, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """RGB in its upright orientation, transparency over white, the first frame of an animation.

    Raises DataError for what is not an image, is cut short, or has more than `max_pixels`.
    """
    try:
        opened = source if isinstance(source, Image.Image) else _open(source)
        if opened.width * opened.height > max_pixels:
            raise DataError(f"image of {opened.width}x{opened.height} pixels, allowed: {max_pixels} in all")
        return _to_rgb(ImageOps.exif_transpose(opened))
    except DataError:
        raise
    except UnidentifiedImageError:
        raise DataError("not an image in any format that Pillow reads") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"image cannot be decoded: {error}") from None


def crop_view(image: Image.Image, augment: Augment, flip: bool, size: int, draws: np.ndarray) -> np.ndarray:
    """[size, size, 3] uint8: one geometric rendering of a decoded image, from at least 5 draws in [0, 1).

    "none" and "official" take a size x size window of the image resized to that short side (bilinear,
    antialiased), in the middle or anywhere; "gentle" takes a window of 70-100 % of the short side,
    stretched by at most 10 %.
    """
    width, height = image.size
    short = min(width, height)
    across = down = float(short)
    x, y = 0.5, 0.5
    if augment != "none":
        x, y = draws[0], draws[1]
    if augment == "gentle":
        side = short * (_GENTLE_MIN_SIDE + (1 - _GENTLE_MIN_SIDE) * draws[3])
        stretch = _GENTLE_ASPECT ** (draws[4] - 0.5)
        across, down = min(width, side * stretch), min(height, side / stretch)
    left, top = x * (width - across), y * (height - down)
    box = (left, top, left + across, top + down)
    pixels = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR, box=box))
    mirrored = flip and augment != "none" and draws[2] < 0.5
    return pixels[:, ::-1] if mirrored else pixels


def _open(source: bytes | str | Path) -> Image.Image:
    if not isinstance(source, bytes):
        return Image.open(source)
    likely = next((name for start, name in _SIGNATURES.items() if source.startswith(start)), None)
    return Image.open(io.BytesIO(source), formats=None if likely is None else (likely,))


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        levels = np.asarray(image, np.float32)
        top = 65535.0 if levels.max(initial=0) > 255 else 255.0
        return Image.fromarray((levels.clip(0, top) * (255 / top)).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
    return image.convert("RGB")
