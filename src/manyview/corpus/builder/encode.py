"""Encode: an image encoded anew, for those who ask for it."""

from __future__ import annotations

import io

from PIL import Image, ImageOps

from manyview.corpus.builder.config import EncodingConfig
from manyview.imaging import on_white, open_image

__all__ = ["encoded_anew"]

_KEPT = ("JPEG", "WEBP", "PNG")
_EIGHT_BITS = ("1", "L", "P", "RGB", "LA", "PA", "RGBA")  # what Pillow converts to RGBA


def encoded_anew(data: bytes, how: EncodingConfig) -> bytes:
    """The image upright, no longer than asked, in the format asked for; the bytes as they are if they fit already.

    The first frame of an animation, transparency over white where the format has none; metadata is left out, the
    color profile excepted.
    """
    with open_image(data) as image:
        source = image.format or "PNG"
        long = how.max_side_px is not None and max(image.size) > how.max_side_px
        target = how.format or (source if source in _KEPT else "PNG")
        if not long and target == source:
            return data
        if long:
            side = how.max_side_px or 0
            image.draft("RGB", (side, side))
        upright = ImageOps.exif_transpose(image)
        profile = image.info.get("icc_profile")
    upright = _mode_for(target, upright)
    if long:
        upright.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    options = {} if target == "PNG" else {"quality": how.quality}
    upright.save(buffer, target, **options, **({"icc_profile": profile} if profile else {}))
    return buffer.getvalue()


def _mode_for(target: str, image: Image.Image) -> Image.Image:
    clear = image.has_transparency_data and image.mode in _EIGHT_BITS
    if clear and target != "JPEG":
        return image.convert("RGBA")
    return image if image.mode == "L" and not clear else on_white(image)
