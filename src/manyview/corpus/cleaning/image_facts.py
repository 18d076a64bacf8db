"""Image facts: what an encoded image is, and whether it can be shown, learned from its bytes alone."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from manyview.corpus.cleaning.image_header import ends_whole, jpeg_size
from manyview.corpus.cleaning.perceptual_hash import SIDE, perceptual_hash
from manyview.imaging import FORMATS, MAX_PIXELS, format_of, on_white, open_image, refusal

__all__ = ["FORMATS", "MAX_PIXELS", "How", "ImageFacts", "format_of", "look"]

How = Literal["pixels", "header"]

_REDUCED = (
    (8, cv2.IMREAD_REDUCED_GRAYSCALE_8),
    (4, cv2.IMREAD_REDUCED_GRAYSCALE_4),
    (2, cv2.IMREAD_REDUCED_GRAYSCALE_2),
    (1, cv2.IMREAD_GRAYSCALE),
)
_ORIENTATION, _TURNED = 0x0112, (5, 6, 7, 8)
_ENOUGH = 2 * SIDE


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """What is known of an image that can be decoded.

    `width` and `height` are those of the upright picture, `mode` is Pillow's, `frames` is above 1 for an animation
    (of which the first frame counts), `perceptual` is None for a picture on which nothing is to be seen and for one
    of which only the header was read.
    """

    format: str
    width: int
    height: int
    frames: int
    mode: str
    size_bytes: int
    perceptual: int | None


def look(data: bytes, max_pixels: int = MAX_PIXELS, how: How = "pixels") -> ImageFacts | str:
    """The facts, or the reason why there is no picture, such as "image: truncated".

    What is accepted is what the loader of training can decode, in one of `FORMATS`. A header that announces more
    than `max_pixels` is refused before a pixel is decoded. By its "header" an image of JPEG, PNG, GIF or WebP is taken
    that has its format's end: damage in between is not seen. Others are decoded all the same.
    """
    if how == "header" and (facts := _plain_jpeg(data, min(max_pixels, MAX_PIXELS))) is not None:
        return facts
    kind = format_of(data)
    if kind is None:
        return refusal(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _opened(data, kind, min(max_pixels, MAX_PIXELS), how)
    except Image.DecompressionBombError:
        return "image: too many pixels"
    except UnidentifiedImageError:
        return "image: damaged header"
    except Exception as error:  # the decoders raise whatever they like on hostile bytes
        return "image: truncated" if "truncated" in str(error).lower() else "image: damaged"


def _plain_jpeg(data: bytes, max_pixels: int) -> ImageFacts | None:
    """The facts of the most frequent kind of image, without opening it; None for all others."""
    known = jpeg_size(data) if data.startswith(b"\xff\xd8\xff") and ends_whole(data, "JPEG") else None
    if known is None or known[0] * known[1] > max_pixels:
        return None
    width, height, mode = known
    return ImageFacts("JPEG", width, height, 1, mode, len(data), None)


def _webp_pixels(data: bytes) -> int:
    """The pixels of the canvas, from the first chunk; 0 if it is cut short."""
    head = data[12:30].ljust(18, b"\0")
    if head[:4] == b"VP8X":
        return (1 + int.from_bytes(head[12:15], "little")) * (1 + int.from_bytes(head[15:18], "little"))
    if head[:4] == b"VP8L":
        bits = int.from_bytes(head[9:13], "little")
        return (1 + (bits & 0x3FFF)) * (1 + (bits >> 14 & 0x3FFF))
    width, height = int.from_bytes(head[14:16], "little"), int.from_bytes(head[16:18], "little")
    return (width & 0x3FFF) * (height & 0x3FFF)


def _opened(data: bytes, kind: str, max_pixels: int, how: How) -> ImageFacts | str:
    if kind == "WEBP" and _webp_pixels(data) > max_pixels:  # Pillow allocates a WebP's canvas on opening it
        return "image: too many pixels"
    image = open_image(data)
    width, height = image.size
    if width * height > max_pixels:
        return "image: too many pixels"
    mode = image.mode
    turned = image.getexif().get(_ORIENTATION) in _TURNED
    frames = 1 if kind == "JPEG" else getattr(image, "n_frames", 1)  # a phone's JPEG carries previews, no animation
    gray = None if how == "header" and ends_whole(data, kind) else _luminance(data, image)
    return ImageFacts(
        format=kind,
        width=height if turned else width,
        height=width if turned else height,
        frames=frames,
        mode=mode,
        size_bytes=len(data),
        perceptual=None if gray is None or how == "header" else perceptual_hash(gray),
    )


def _luminance(data: bytes, image: Image.Image) -> np.ndarray:
    """[h, w] uint8 of the upright picture, of a JPEG at a reduced scale, transparency over white."""
    if image.format == "JPEG" and image.mode in ("RGB", "L") and ends_whole(data, "JPEG"):
        shrinks = max(1, min(image.size) / _ENOUGH)
        gray = cv2.imdecode(np.frombuffer(data, np.uint8), next(flag for times, flag in _REDUCED if times <= shrinks))
        if gray is not None:
            return gray
    return _gray(ImageOps.exif_transpose(image))


def _gray(image: Image.Image) -> np.ndarray:
    return np.asarray(image if image.mode == "L" and "transparency" not in image.info else on_white(image).convert("L"))
