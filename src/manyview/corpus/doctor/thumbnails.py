"""Thumbnails: the pictures of the page, small and inside it."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Iterable

from PIL import Image, ImageOps

from manyview.corpus.doctor.look import decoded
from manyview.corpus.doctor.rows import Rows
from manyview.imaging import on_white

__all__ = ["thumbnails"]

_SIDE_PX = 160


def thumbnails(rows: Rows, wanted: Iterable[int], max_pixels: int) -> dict[int, str]:
    """A data: address of each wanted row whose image can be decoded."""
    found: dict[int, str] = {}
    for row, record in rows.fetch(wanted, image=True).items():
        opened = "no image" if record.image is None else decoded(record.image, max_pixels, _SIDE_PX)
        if not isinstance(opened, str):
            found[row] = _data_uri(on_white(ImageOps.exif_transpose(opened[0])))
    return found


def _data_uri(image: Image.Image) -> str:
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=80)
    return f"data:image/jpeg;base64,{b64encode(buffer.getvalue()).decode('ascii')}"
