"""Imaging: which image formats are read, and how an image of any mode becomes RGB."""

from __future__ import annotations

import io
import re
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError, features

__all__ = [
    "FORMATS",
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "READABLE_SUFFIXES",
    "format_of",
    "image_files",
    "on_white",
    "open_image",
    "refusal",
]

MAX_PIXELS = 178_956_970  # Pillow's own bomb limit

_CODECS = {"AVIF": "avif", "JPEG": "jpg", "JPEG2000": "jpg_2000", "PNG": "zlib", "WEBP": "webp"}
_KNOWN = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
FORMATS = tuple(name for name in _KNOWN if name not in _CODECS or features.check(_CODECS[name]))
"""What is read: what Pillow decodes by itself, as it was compiled; the same for every part of manyview."""

_SUFFIXES = {
    "AVIF": (".avif", ".avifs"),
    "BMP": (".bmp",),
    "GIF": (".gif",),
    "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
    "JPEG2000": (".jp2", ".j2k", ".jpx"),
    "PNG": (".png", ".apng"),
    "PPM": (".ppm", ".pgm", ".pbm", ".pnm", ".pfm"),
    "TIFF": (".tif", ".tiff"),
    "WEBP": (".webp",),
}
_UNREAD_SUFFIXES = (".heic", ".heif", ".hif", ".jxl", ".svg", ".svgz", ".psd", ".ico", ".tga", ".eps", ".dng", ".cr2")
READABLE_SUFFIXES = tuple(suffix for name in FORMATS for suffix in _SUFFIXES[name])
IMAGE_SUFFIXES = (*dict.fromkeys(suffix for of in _SUFFIXES.values() for suffix in of), *_UNREAD_SUFFIXES)
"""Suffixes of files that are meant as images, whether they can be read or not."""

_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\xff\x4f\xff\x51", "JPEG2000"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
)
_PPM = re.compile(rb"P[1-6f]\s(?:\s|#[^\n]*\n)*\d+\s")
_BMP_HEADER_BYTES = (12, 40, 52, 56, 64, 108, 124)
_UNREAD_MAGIC = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"8BPS", "Photoshop"),
    (b"\0\0\1\0", "ICO"),
)
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_MARKUP = (
    (b"<svg", "image: a vector drawing"),
    (b"<html", "image: a web page"),
    (b"<!doctype html", "image: a web page"),
)
_HEAD = 512
_WHITE = (255, 255, 255, 255)
_WIDE = ("I", "F")
_TOPS = {"F": (1.0, 255.0, 65535.0), "I": (255.0, 65535.0)}


def format_of(data: bytes) -> str | None:
    """The format in `FORMATS` that the first bytes announce, whatever the file is called; None for all else."""
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        name: str | None = "WEBP"
    elif _AVIF_BRANDS & _brands(data):
        name = "AVIF"
    elif data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in _BMP_HEADER_BYTES:
        name = "BMP"
    elif _PPM.match(data):
        name = "PPM"
    else:
        name = next((name for magic, name in _MAGIC if data.startswith(magic)), None)
    return name if name in FORMATS else None


def refusal(data: bytes) -> str:
    """Why bytes of which `format_of` knows no format are left out, such as "image: HEIC is not read"."""
    if not data:
        return "image: empty"
    if name := _unread_format(data):
        return f"image: {name} is not read"
    start = data[:_HEAD].lower()
    return next((reason for tag, reason in _MARKUP if tag in start), "image: not an image")


def open_image(data: bytes) -> Image.Image:
    """The image of which the header is read. Raises UnidentifiedImageError for all but `FORMATS`, and as Pillow."""
    name = format_of(data)
    if name is None:
        raise UnidentifiedImageError(refusal(data))
    return Image.open(io.BytesIO(data), formats=(name,))


def on_white(image: Image.Image) -> Image.Image:
    """The image as RGB, with white where it is transparent.

    Whole numbers of more than 8 bits and floats are scaled so that 1 (floats only), 255 or 65535 is white: the smallest
    of these that no value exceeds, else the largest value. Below 0 and what is no number are black.
    """
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or image.mode in _WIDE:
        return _from_levels(image)
    if image.mode == "La":  # which Pillow converts to nothing else
        image = image.convert("LA")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")


def image_files(folder: Path) -> list[str]:
    """The paths, within a folder, of all files below it that are images by their suffix or their first bytes, sorted.

    Images of formats that are not read are among them, so that they are refused by name.
    """
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in files if _is_meant_as_image(path))


def _from_levels(image: Image.Image) -> Image.Image:
    """RGB of an image with one channel of more than 8 bits."""
    levels = np.asarray(image)
    finite = np.nan_to_num(levels.astype(np.float64), nan=0.0, posinf=np.inf, neginf=0.0)
    largest = float(finite[np.isfinite(finite)].max(initial=0.0))
    top = next((top for top in _TOPS.get(image.mode, _TOPS["I"]) if largest <= top), largest)
    gray = (finite.clip(0, top) * (255 / top)).astype(np.uint8)
    transparent = image.info.get("transparency")
    if isinstance(transparent, int):
        gray[levels == transparent] = 255
    return Image.fromarray(gray).convert("RGB")


def _is_meant_as_image(path: Path) -> bool:
    if path.suffix.lower() in IMAGE_SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return format_of(head) is not None


def _brands(data: bytes) -> frozenset[bytes]:
    """The brands of a file of boxes (ISO/IEC 14496-12), the major one and those that it is compatible with."""
    if data[4:8] != b"ftyp":
        return frozenset()
    box = data[: min(int.from_bytes(data[:4], "big"), _HEAD)]
    return frozenset({data[8:12], *(box[i : i + 4] for i in range(16, len(box) - 3, 4))})


def _unread_format(data: bytes) -> str | None:
    brands = _brands(data)
    if brands & _AVIF_BRANDS:
        return "AVIF"
    if brands & _HEIF_BRANDS:
        return "HEIC"
    return next((name for magic, name in _UNREAD_MAGIC if data.startswith(magic)), None)
