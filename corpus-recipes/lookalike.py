"""Lookalike: pairs of images that hardly differ."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

SIDE = 16
LEVELS = 64
MAX_RELATIVE_DISTANCE = 0.15
BLOCK = 256


def thumbnail(image: Image.Image) -> bytes:
    """SIDE x SIDE RGB pixels of LEVELS levels: so coarse that float32 adds products of them exactly."""
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return (np.asarray(small) // (256 // LEVELS)).astype(np.uint8).tobytes()


def lookalikes(thumbnails: list[bytes]) -> Iterator[tuple[int, int]]:
    """Pairs i < j whose distance is at most MAX_RELATIVE_DISTANCE of the weaker contrast of the two.

    Distance is the root mean square difference of the thumbnails, contrast the standard deviation of one.
    All sums are of integers, so the answer is the same on every machine.
    """
    values = np.frombuffer(b"".join(thumbnails), dtype=np.uint8)
    pixels = values.reshape(len(thumbnails), SIDE * SIDE * 3).astype(np.float32)
    size = pixels.shape[1]
    squares = (pixels**2).sum(axis=1, dtype=np.float64)
    variance = squares / size - (pixels.sum(axis=1, dtype=np.float64) / size) ** 2
    for start in range(0, len(pixels), BLOCK):
        block = slice(start, start + BLOCK)
        products: npt.NDArray[np.float32] = pixels[block] @ pixels[start:].T
        distance = (squares[block, None] + squares[None, start:] - 2.0 * products) / size
        weaker = np.minimum(variance[block, None], variance[None, start:])
        for row, column in np.argwhere(distance <= MAX_RELATIVE_DISTANCE**2 * weaker).tolist():
            if row < column:
                yield start + row, start + column
