"""Render: drawings become small square images on white."""

from __future__ import annotations

import io
import os
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import pyvips
from drawing import Drawing, Rendered, Sprite, Vector
from lookalike import thumbnail
from PIL import Image

from manyview.corpus.fingerprint import pixel_hash

OVERSAMPLING = 2
TRIM_SIDE_PX = 512
MARGIN = 0.03
PIXELS_PER_INCH = 90  # what Sodipodi and old Inkscape meant by their millimeters
MIN_CONTRAST = 20
RENDER_CHUNK = 64


class RenderError(Exception):
    """The drawing has no usable image; the message is the reason under which it is counted."""


def render_all(
    drawings: Sequence[Drawing], side: int, quality: int, dropped: Counter[str], processes: int | None = None
) -> list[tuple[Drawing, Rendered]]:
    """The drawings that have an image, in the order given; the others are counted by reason."""
    job = partial(_rendered, side=side, quality=quality)
    kept: list[tuple[Drawing, Rendered]] = []
    with ProcessPoolExecutor(processes or min(8, os.cpu_count() or 1)) as pool:
        for drawing, result in zip(drawings, pool.map(job, drawings, chunksize=RENDER_CHUNK), strict=True):
            if isinstance(result, str):
                dropped[result] += 1
            else:
                kept.append((drawing, result))
    return kept


def _rendered(drawing: Drawing, side: int, quality: int) -> Rendered | str:
    try:
        image = render(drawing.picture, side)
    except RenderError as error:
        return str(error)
    data = webp(image, quality)
    decoded = Image.open(io.BytesIO(data))
    return Rendered(data, pixel_hash(decoded), thumbnail(decoded))


def render(picture: Vector | Sprite, side: int) -> Image.Image:
    """RGB image of `side` x `side` pixels. Raises RenderError for blank or unreadable drawings."""
    if isinstance(picture, Sprite):
        image = _fit(_sheet(picture.sheet).crop(picture.box), side, Image.Resampling.NEAREST)
    elif picture.trim:
        image = _fit(_trimmed(_vector(picture.svg, TRIM_SIDE_PX)), side, Image.Resampling.LANCZOS)
    else:
        image = _square(_vector(picture.svg, side * OVERSAMPLING)).resize((side, side), Image.Resampling.LANCZOS)
    if np.ptp(np.asarray(image.convert("L"))) < MIN_CONTRAST:
        raise RenderError("blank or faint")
    return image


def webp(image: Image.Image, quality: int) -> bytes:
    """Lossy WebP with the slowest, smallest setting."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=quality, method=6)
    return buffer.getvalue()


def _vector(svg: bytes, side: int) -> Image.Image:
    try:
        image = pyvips.Image.thumbnail_buffer(
            svg, side, height=side, size="both", option_string=f"dpi={PIXELS_PER_INCH}"
        )
        return Image.fromarray(image.colourspace("srgb").numpy()).convert("RGBA")
    except pyvips.Error as error:
        raise RenderError("unreadable svg") from error


def _trimmed(image: Image.Image) -> Image.Image:
    """Without the transparent border."""
    box = image.getchannel("A").getbbox()
    if box is None:
        raise RenderError("blank")
    return image.crop(box)


def _square(image: Image.Image) -> Image.Image:
    """Centered on a white square as large as the longer side."""
    side = max(image.size)
    paper = Image.new("RGB", (side, side), "white")
    paper.paste(_on_white(image), ((side - image.width) // 2, (side - image.height) // 2))
    return paper


def _fit(image: Image.Image, side: int, enlarge: Image.Resampling) -> Image.Image:
    """Centered on a white square, the longer side filling it but for a small margin."""
    inner = round(side * (1 - 2 * MARGIN))
    scale = inner / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    resized = image.resize(size, enlarge if scale > 1 else Image.Resampling.LANCZOS)
    paper = Image.new("RGB", (side, side), "white")
    paper.paste(_on_white(resized), ((side - size[0]) // 2, (side - size[1]) // 2))
    return paper


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


@lru_cache(maxsize=40)
def _sheet(file: Path) -> Image.Image:
    return Image.open(file).convert("RGBA")
