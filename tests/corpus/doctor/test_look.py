"""Laws of looking at one encoded image."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.corpus.doctor.corpora import picture

from manyview.corpus.doctor.look import Look, look

MOST = 10_000_000


def encoded(image: Image.Image, format: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)  # type: ignore[arg-type]
    return buffer.getvalue()


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF"])
def test_format_and_sides_are_those_of_the_file(format: str) -> None:
    found = look(encoded(Image.effect_noise((300, 200), 60).convert("RGB"), format), MOST)
    assert isinstance(found, Look)
    assert (found.format, found.width, found.height) == (format, 300, 200)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16", "F"])
def test_every_mode_can_be_looked_at(mode: str) -> None:
    format = "JPEG" if mode == "CMYK" else "TIFF" if mode == "F" else "PNG"
    found = look(encoded(Image.effect_noise((40, 30), 60).convert(mode), format), MOST)
    assert isinstance(found, Look)
    assert len(found.reduced) == 8 * 8 * 3


@given(st.integers(0, 50), st.integers(96, 300))
def test_a_picture_keeps_its_hash_at_another_scale(number: int, side: int) -> None:
    one, other = look(picture(number), MOST), look(_enlarged(picture(number), side), MOST)
    assert isinstance(one, Look)
    assert isinstance(other, Look)
    assert one.near_hash is not None
    assert other.near_hash is not None
    assert ((one.near_hash ^ other.near_hash) & (2**64 - 1)).bit_count() <= 4


def test_a_flat_picture_has_no_hash() -> None:
    found = look(encoded(Image.new("RGB", (50, 50), "red")), MOST)
    assert isinstance(found, Look)
    assert found.near_hash is None


def test_what_is_transparent_counts_as_white() -> None:
    clear = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    clear.paste((255, 0, 0, 255), (0, 0, 32, 64))
    white = Image.new("RGB", (64, 64), "white")
    white.paste((255, 0, 0), (0, 0, 32, 64))
    one, other = look(encoded(clear), MOST), look(encoded(white), MOST)
    assert isinstance(one, Look)
    assert isinstance(other, Look)
    assert (one.near_hash, one.reduced) == (other.near_hash, other.reduced)


@given(st.binary(max_size=300))
def test_noise_has_a_reason(data: bytes) -> None:
    found = look(data, MOST)
    assert isinstance(found, Look) or found.startswith("image: ")


@given(st.integers(0, 4000))
def test_a_cut_file_is_never_an_exception(cut: int) -> None:
    for format in ("PNG", "JPEG", "WEBP"):
        data = picture(3, 200, format)
        found = look(data[: cut % len(data)], MOST)
        assert isinstance(found, Look) or found.startswith("image: ")


def test_a_bomb_is_not_decoded() -> None:
    assert look(b"P6\n40000 40000\n255\n", MOST) == "image: too many pixels"
    assert look(encoded(Image.new("L", (101, 100))), 10_099) == "image: too many pixels"


def _enlarged(data: bytes, side: int) -> bytes:
    return encoded(Image.open(io.BytesIO(data)).resize((side, side), Image.Resampling.BICUBIC))
