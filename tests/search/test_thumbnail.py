import io
from pathlib import Path

import pytest
from PIL import Image

from manyview.search.thumbnail import UNDECODABLE, thumbnail


def encoded(picture: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, **options)
    return file.getvalue()


def opened(webp: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(webp))
    assert picture.format == "WEBP"
    return picture


@pytest.mark.parametrize(("size", "small"), [((640, 320), (64, 32)), ((100, 1000), (6, 64)), ((30, 20), (30, 20))])
def test_the_long_side_shrinks_to_the_limit_and_never_grows(size: tuple[int, int], small: tuple[int, int]) -> None:
    assert opened(thumbnail(encoded(Image.new("RGB", size), "JPEG"), side_px=64)).size == small


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    assert opened(thumbnail(encoded(clear, "PNG"))).convert("RGB").getpixel((4, 4)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_a_picture(mode: str) -> None:
    form = "TIFF" if mode in ("CMYK", "I;16") else "PNG"
    assert opened(thumbnail(encoded(Image.new(mode, (9, 5)), form))).size == (9, 5)


def test_a_turned_photograph_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    assert opened(thumbnail(turned)).size == (20, 40)


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(Image.new("RGB", (64, 64)), "PNG")[:60]])
def test_what_cannot_be_decoded_raises_one_of_the_named_errors(content: bytes) -> None:
    with pytest.raises(UNDECODABLE):
        thumbnail(content)


def test_a_picture_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(UNDECODABLE):
        thumbnail(encoded(Image.new("RGB", (40, 40)), "PNG"))
