"""Laws of what taggers are shown."""

import random
import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from manyview.tags.config import TagConfig, TaggerConfig
from manyview.tags.pictures import picture

CONFIG = TagConfig(tagger=TaggerConfig(name="ocr"))
REASONS = {
    f"image: {of}" for of in ("damaged", "no known format", "too many pixels", "too narrow", "too small", "truncated")
}


def encoded(format: str, mode: str = "RGB") -> bytes:
    buffer = BytesIO()
    noise = Image.effect_noise((60, 45), 90)
    noise.convert(mode).save(buffer, format)
    return buffer.getvalue()


def png_that_says(width: int, height: int) -> bytes:
    """A PNG whose header states a size and whose data are some zeros."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 99)), (b"IEND", b"")]
    parts = [struct.pack(">I", len(of)) + name + of + struct.pack(">I", zlib.crc32(name + of)) for name, of in chunks]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize("size", [(30_000, 30_000), (12_000, 9_000), (8_000, 7_000)])
def test_a_bomb_is_known_by_its_header(size: tuple[int, int]) -> None:
    assert picture(png_that_says(*size), CONFIG) == "image: too many pixels"


@pytest.mark.parametrize(
    ("format", "mode"),
    [("JPEG", "CMYK"), ("JPEG", "L"), ("PNG", "RGBA"), ("PNG", "P"), ("PNG", "1"), ("GIF", "P"), ("WEBP", "RGB")],
)
def test_every_kind_of_pixels_becomes_rgb(format: str, mode: str) -> None:
    image = picture(encoded(format, mode), CONFIG)
    assert isinstance(image, Image.Image)
    assert (image.mode, image.size) == ("RGB", (60, 45))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("format", ["PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_a_damaged_image_is_shown_or_left_out_with_a_reason(format: str) -> None:
    dice, whole = random.Random(format), encoded(format)
    for _ in range(120):
        data = bytearray(whole)
        for _ in range(dice.randint(1, 8)):
            data[dice.randrange(min(len(data), dice.choice((60, 400, 10**6))))] = dice.randrange(256)
        shown = picture(bytes(data[: dice.randint(1, len(data))] if dice.random() < 0.3 else data), CONFIG)
        assert isinstance(shown, Image.Image) or shown in REASONS
