"""500 malformed or odd images, made the same each time, and what is to become of each."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

COUNT = 500


@dataclass(frozen=True)
class Hostile:
    """An image file: `reasons` are the reasons that may be given against it under default rules, none if it stays."""

    name: str
    data: bytes
    reasons: frozenset[str] = frozenset()


def hostile_images() -> list[Hostile]:
    """`COUNT` of them, each with a name of its own."""
    made = [maker for maker in (_taken, _refused_by_header, _not_images, _odd_sizes) for maker in maker()]
    cut = list(_cut_short(COUNT - len(made)))
    images = made + cut
    assert len(images) == COUNT == len({image.name for image in images})
    return images


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """A smooth colour picture that is its own."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    waves = [np.sin(a * x + b * y + c) for a, b, c in rng.uniform(1, 12, (3, 3))]
    return Image.fromarray(np.stack([(wave * 110 + 128).astype(np.uint8) for wave in waves], axis=2))


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    """The image as a file of the format."""
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def png(width: int, height: int, rows: bytes = b"", depth: int = 8, color: int = 2) -> bytes:
    """A PNG with the header as told and whatever rows are given, compressed."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def _taken() -> Iterator[Hostile]:
    """Odd, but pictures."""
    for seed in range(10):
        base = picture(96 + seed, 64, seed)
        deep = np.asarray(base.convert("L"), np.uint16) * 257
        half_clear = base.copy()
        half_clear.putalpha(base.convert("L"))
        frames = [picture(48, 48, seed + i).quantize(32) for i in range(3)]
        exif = Image.Exif()
        exif[0x0112] = seed % 8 + 1
        files = {
            "cmyk.jpg": encoded(base.convert("CMYK"), "JPEG"),
            "gray.jpg": encoded(base.convert("L"), "JPEG"),
            "progressive.jpg": encoded(base, "JPEG", progressive=True),
            "turned.jpg": encoded(base, "JPEG", exif=exif),
            "tail.jpg": encoded(base, "JPEG") + b"\0" * (50 + seed),
            "long-tail.jpg": encoded(base, "JPEG") + bytes(range(256)) * 4,
            "palette.png": encoded(base.quantize(16), "PNG"),
            "palette-clear.png": encoded(base.quantize(16), "PNG", transparency=bytes(range(16))),
            "sixteen-bit.png": encoded(Image.fromarray(deep), "PNG"),
            "alpha.png": encoded(half_clear, "PNG"),
            "gray-alpha.png": encoded(half_clear.convert("LA"), "PNG"),
            "one-bit.png": encoded(base.convert("1"), "PNG"),
            "png-called.jpg": encoded(base, "PNG"),
            "jpeg-called.png": encoded(base, "JPEG"),
            "animated.gif": encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]),
            "animated.webp": encoded(base, "WEBP", save_all=True, append_images=[picture(96 + seed, 64, seed + 1)]),
            "lossless.webp": encoded(half_clear, "WEBP", lossless=True),
            "bitmap.bmp": encoded(base, "BMP"),
            "deep.tif": encoded(Image.fromarray(deep), "TIFF"),
            "blank.png": encoded(Image.new("RGB", (64, 64), (seed, 99, 12)), "PNG"),
        }
        for name, data in files.items():
            yield Hostile(f"taken-{seed}-{name}", data)


def _refused_by_header() -> Iterator[Hostile]:
    """Bombs: a small file that announces more pixels than memory holds."""
    many = frozenset({"image: too many pixels"})
    jpeg = bytearray(encoded(picture(32, 32), "JPEG"))
    frame = jpeg.index(b"\xff\xc0")
    gif = bytearray(encoded(picture(32, 32).quantize(4), "GIF"))
    for index, (width, height) in enumerate(
        [(60000, 60000), (50000, 4000), (65500, 65500), (20000, 40000), (14000, 13000)]
    ):
        yield Hostile(f"bomb-{index}.png", png(width, height, bytes(1000)), many)
        yield Hostile(f"bomb-{index}-million.png", png(width * 20, height * 20, bytes(1000)), many)
        jpeg[frame + 5 : frame + 9] = struct.pack(">HH", height, width)
        yield Hostile(f"bomb-{index}.jpg", bytes(jpeg), many)
        gif[6:10] = struct.pack("<HH", width, height)
        yield Hostile(f"bomb-{index}.gif", bytes(gif), many)
        canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunk = b"VP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + canvas
        yield Hostile(f"bomb-{index}.webp", b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk, many)
        bitmap = bytearray(encoded(picture(32, 32), "BMP"))
        bitmap[18:26] = struct.pack("<ii", width, height)
        yield Hostile(f"bomb-{index}.bmp", bytes(bitmap), many)


def _not_images() -> Iterator[Hostile]:
    rng = np.random.default_rng(1)
    none = frozenset({"image: not an image"})
    damaged = frozenset({"image: damaged header", "image: damaged", "image: truncated", "image: too many pixels"})
    yield Hostile("nothing.jpg", b"", frozenset({"image: empty"}))
    yield Hostile("page.jpg", b"<!DOCTYPE html>\n<html><body>404</body></html>", frozenset({"image: a web page"}))
    yield Hostile("drawing.png", b'<svg xmlns="http://www.w3.org/2000/svg"/>', frozenset({"image: a vector drawing"}))
    yield Hostile("program.jpg", b"\x7fELF" + bytes(200), none)
    yield Hostile("postscript.jpg", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", none)
    for index in range(40):
        yield Hostile(f"zeros-{index}.jpg", bytes(1 + index * 97), none)
        yield Hostile(f"random-{index}.png", b"\x01" + rng.bytes(1 + index * 113), none)
    starts = {
        "jpg": b"\xff\xd8\xff\xe0",
        "png": b"\x89PNG\r\n\x1a\n",
        "gif": b"GIF89a",
        "webp": b"RIFF\0\0\0\0WEBPVP8 ",
    }
    for suffix, start in starts.items():
        for index in range(12):
            yield Hostile(f"magic-{index}.{suffix}", start + rng.bytes(index * 40), damaged)


def _odd_sizes() -> Iterator[Hostile]:
    small, long = frozenset({"image: too small"}), frozenset({"image: too elongated"})
    for index, (width, height) in enumerate([(1, 1), (30000, 1), (1, 30000), (2, 2), (15, 400), (7, 3)]):
        yield Hostile(f"small-{index}.png", encoded(picture(width, height), "PNG"), small)
        yield Hostile(f"small-{index}.jpg", encoded(picture(width, height), "JPEG"), small)
    for index, (width, height) in enumerate([(400, 20), (20, 2000), (30000, 16)]):
        yield Hostile(f"long-{index}.png", encoded(picture(width, height), "PNG"), long)
        yield Hostile(f"long-{index}.jpg", encoded(picture(width, height), "JPEG"), long)
    yield Hostile("no-size.png", png(0, 0), frozenset({"image: damaged", "image: damaged header", "image: truncated"}))


def _cut_short(count: int) -> Iterator[Hostile]:
    """Files that end before their pictures do, at many places."""
    reasons = frozenset({"image: truncated", "image: damaged", "image: damaged header", "image: not an image"})
    noise = Image.fromarray(np.random.default_rng(2).integers(0, 256, (80, 90, 3), np.uint8))
    whole = {
        "jpg": encoded(noise, "JPEG"),
        "progressive.jpg": encoded(noise, "JPEG", progressive=True),
        "png": encoded(noise, "PNG"),
        "gif": encoded(noise.quantize(64), "GIF"),
        "webp": encoded(noise, "WEBP"),
        "tif": encoded(noise, "TIFF"),
    }
    for index in range(count):
        suffix = list(whole)[index % len(whole)]
        share = 0.02 + 0.9 * (index // len(whole)) / (count / len(whole))
        yield Hostile(f"cut-{index}.{suffix}", whole[suffix][: int(share * len(whole[suffix]))], reasons)
