"""Fingerprints: when two images or two texts are the same thing."""

from __future__ import annotations

import unicodedata
from hashlib import blake2b

import numpy as np
from PIL import Image
from xxhash import xxh3_64_intdigest


def identity(data: bytes) -> int:
    """64-bit blake2b digest as a signed integer, so that it fits an int64 column."""
    return int.from_bytes(blake2b(data, digest_size=8).digest(), "little", signed=True)


def image_identity(data: bytes) -> int:
    """`image_hash` of an encoded image: its XXH3-64, as a signed integer.

    An image is long, and XXH3 reads ten times as fast as the cryptographic digests: it finds the same file again,
    and gives no proof against somebody who makes two files of one hash.
    """
    value = xxh3_64_intdigest(data)
    return value - (value >> 63 << 64)


def normalized_text(text: str) -> str:
    """Unicode NFKC, case folded, white space collapsed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def text_identity(text: str) -> int:
    """Equal for texts that differ only in case, white space or compatibility characters."""
    return identity(normalized_text(text).encode())


def pixel_hash(image: Image.Image) -> int:
    """Equal exactly when width, height and all RGB pixels are equal, however the file was encoded."""
    width, height = image.size
    return identity(f"{width}x{height}:".encode() + image.convert("RGB").tobytes())


def difference_hash(image: Image.Image, side: int, tolerance: int = 0) -> int:
    """Which pixels of a `side` x `side` reduction are brighter than their right neighbor, by channel.

    The 3 * side**2 bits are equal for images that differ in scale, compression or a few pixels; the larger
    the side, the stricter. A step counts when it exceeds `tolerance` gray levels, which keeps flat areas
    quiet.
    """
    small = image.convert("RGB").resize((side + 1, side), Image.Resampling.BOX)
    levels = np.asarray(small, dtype=np.int16)
    brighter = levels[:, :-1] - levels[:, 1:] > tolerance
    return int.from_bytes(np.packbits(brighter).tobytes(), "big")
