"""Perceptual hash: 64 bits that stay nearly the same when a picture is scaled, recompressed or slightly retouched.

The picture's luminance is averaged down to 32 x 32, its discrete cosine transform is read along the anti-diagonals
from coarse to fine, the mean left out, and each of the first 64 coefficients says whether it exceeds their median
(Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010). The same picture is mostly 0 to 4
bits apart, others around 32.
"""

from __future__ import annotations

import cv2
import numpy as np

__all__ = ["SIDE", "perceptual_hash"]

SIDE = 32
_BLANK = 2.0  # standard deviation in gray levels under which the transform is mostly noise
_BITS = 64


def perceptual_hash(gray: np.ndarray) -> int | None:
    """The hash of [h, w] uint8 luminance, as a signed integer that fits an int64 column; None if nothing is to be seen.

    Decoding at a reduced scale hardly changes it as long as the short side keeps `SIDE` pixels.
    """
    small = cv2.resize(gray, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    if small.std() < _BLANK:
        return None
    coefficients = cv2.dct(small)[_ROWS, _COLUMNS]
    packed = np.packbits(coefficients > np.median(coefficients)).tobytes()
    return int.from_bytes(packed, "big", signed=True)


def _coarse_to_fine() -> tuple[np.ndarray, np.ndarray]:
    rows, columns = np.divmod(np.arange(SIDE * SIDE), SIDE)
    order = np.lexsort((rows, rows + columns))[1 : _BITS + 1]
    return rows[order], columns[order]


_ROWS, _COLUMNS = _coarse_to_fine()
