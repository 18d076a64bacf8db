"""Images: bytes become RGB, and RGB becomes the crop of a view."""

import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from manyview.data.views import ImageView
from manyview.errors import DataError
from manyview.imaging import FORMATS, MAX_PIXELS, on_white, open_image

__all__ = [
    "CROP_DRAWS",
    "MAX_PIXELS",
    "Crop",
    "crop_exactly",
    "crop_fast",
    "decode_image",
    "decode_pixels",
    "draw_crop",
    "rendered",
    "shortest_needed",
]

cv2.setNumThreads(0)  # images are shared out over processes and threads; OpenCV's own do not survive a fork

CROP_DRAWS = 5
_JPEG_END, _TAIL = b"\xff\xd9", 64
_REDUCED = (
    (8, cv2.IMREAD_REDUCED_COLOR_8),
    (4, cv2.IMREAD_REDUCED_COLOR_4),
    (2, cv2.IMREAD_REDUCED_COLOR_2),
    (1, cv2.IMREAD_COLOR),
)
_GENTLE_MIN_SIDE = 0.7
_GENTLE_ASPECT = 1.1
_AREA_STRETCH = 4 / 3
_SHRINKS = 1.5


def decode_image(source: bytes | str | Path | Image.Image, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """RGB in its upright orientation, transparency over white, the first frame of an animation.

    Raises DataError for what is not an image, is cut short, or has more than `max_pixels`.
    """
    with _reasons():
        return on_white(ImageOps.exif_transpose(_opened(source, max_pixels)))


def decode_pixels(source: bytes, at_least: int, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """[h, w, 3] uint8: what `decode_image` gives, but a JPEG may come smaller, its short side no less than `at_least`.

    Ordinary JPEGs and WebPs are decoded by OpenCV, JPEGs scaled down by 2, 4 or 8 before their frequencies become
    pixels. Raises DataError.
    """
    with _reasons():
        if _is_plain_webp(source, max_pixels):
            pixels = cv2.imdecode(np.frombuffer(source, np.uint8), cv2.IMREAD_COLOR_RGB)
            if pixels is not None:
                return pixels
        opened = _opened(source, max_pixels)
        if opened.format == "JPEG" and opened.mode in ("RGB", "L") and _JPEG_END in source[-_TAIL:]:
            shrinks = min(opened.size) / max(1, at_least)
            flag = next(flag for times, flag in _REDUCED if times <= max(1, shrinks))
            pixels = cv2.imdecode(np.frombuffer(source, np.uint8), flag)
            if pixels is not None:
                return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
        return np.asarray(on_white(ImageOps.exif_transpose(opened)))


def rendered(source: bytes | str | Path | Image.Image, size: int) -> np.ndarray:
    """[size, size, 3] uint8: the short side resized, the middle of it: as a trained model is shown an image.

    Raises DataError.
    """
    if isinstance(source, str | Path):
        with _reasons():
            source = Path(source).read_bytes()
    pixels = decode_pixels(source, 2 * size) if isinstance(source, bytes) else np.asarray(decode_image(source))
    height, width = pixels.shape[:2]
    short = min(width, height)
    return crop_exactly(pixels, Crop((width - short) / 2, (height - short) / 2, short, short, False), size)


@dataclass(frozen=True)
class Crop:
    """A window of an image, in pixels, and whether it is mirrored."""

    left: float
    top: float
    width: float
    height: float
    mirrored: bool


def draw_crop(width: int, height: int, view: ImageView, draws: np.ndarray) -> Crop:
    """The window that a view takes of an image of this size, from at least CROP_DRAWS draws in [0, 1).

    "none" and "official" take a square of the short side, in the middle or anywhere; "official" with `area` takes
    a rectangle of such a share; "gentle" takes a window of 70-100 % of the short side, stretched by at most 10 %.
    """
    short = min(width, height)
    across = down = float(short)
    x, y = 0.5, 0.5
    if view.augment != "none":
        x, y = draws[0], draws[1]
    if view.augment == "gentle":
        side = short * (_GENTLE_MIN_SIDE + (1 - _GENTLE_MIN_SIDE) * draws[3])
        stretch = _GENTLE_ASPECT ** (draws[4] - 0.5)
        across, down = min(width, side * stretch), min(height, side / stretch)
    elif view.area is not None:
        side = math.sqrt(width * height * (view.area[0] + (view.area[1] - view.area[0]) * draws[3]))
        stretch = _AREA_STRETCH ** (draws[4] - 0.5)  # the sides' ratio is its square
        across, down = min(width, side * stretch), min(height, side / stretch)
    mirrored = view.flip and view.augment != "none" and draws[2] < 0.5
    return Crop(x * (width - across), y * (height - down), across, down, bool(mirrored))


def crop_exactly(pixels: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """[size, size, 3] uint8 of [h, w, 3]: Pillow's bilinear resize of the window, antialiased."""
    box = (crop.left, crop.top, crop.left + crop.width, crop.top + crop.height)
    resized = np.asarray(Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR, box=box))
    return resized[:, ::-1] if crop.mirrored else resized


def crop_fast(pixels: np.ndarray, crop: Crop, size: int) -> np.ndarray:
    """The same by OpenCV, the window rounded to whole pixels; averaged where it shrinks a lot."""
    height, width = pixels.shape[:2]
    left, top = min(round(crop.left), width - 1), min(round(crop.top), height - 1)
    window = pixels[top : top + max(1, round(crop.height)), left : left + max(1, round(crop.width))]
    shrinks = min(window.shape[:2]) > _SHRINKS * size
    resized = cv2.resize(window, (size, size), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    return cv2.flip(resized, 1) if crop.mirrored else resized


def shortest_needed(view: ImageView, size: int) -> int:
    """The short side to which an image may be scaled down before a view of this size is cut from it."""
    if view.augment != "official" or view.exact:
        return 2 * size
    return size if view.area is None else math.ceil(size / math.sqrt(view.area[0]))


@contextmanager
def _reasons() -> Iterator[None]:
    """What the libraries raise for images that are none, as DataError."""
    try:
        yield
    except UnidentifiedImageError as error:
        reason = str(error).removeprefix("image: ")
        why = "" if reason == "not an image" or "cannot identify" in reason else f" ({reason})"
        raise DataError(f"not an image that can be read{why}, allowed: {', '.join(FORMATS)}") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, cv2.error) as error:
        raise DataError(f"image cannot be decoded: {error}") from None


def _opened(source: bytes | str | Path | Image.Image, max_pixels: int) -> Image.Image:
    """The image's header, read."""
    if isinstance(source, str | Path):
        source = Path(source).read_bytes()
    opened = open_image(source) if isinstance(source, bytes) else source
    if opened.width * opened.height > max_pixels:
        raise DataError(f"image of {opened.width}x{opened.height} pixels, allowed: {max_pixels} in all")
    return opened


def _is_plain_webp(source: bytes, max_pixels: int) -> bool:
    """One whole lossy frame without alpha, orientation or animation: its size stands in the first 30 bytes."""
    if len(source) < 30 or source[:4] != b"RIFF" or source[8:16] != b"WEBPVP8 ":
        return False
    riff_bytes, width, height = map(int, struct.unpack_from("<4xI18xHH", source))
    return 8 + riff_bytes <= len(source) and (width & 0x3FFF) * (height & 0x3FFF) <= max_pixels
