"""Laws of identity."""

import io
from hashlib import blake2b

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from manyview.corpus.fingerprint import (
    difference_hash,
    identity,
    image_identity,
    normalized_text,
    pixel_hash,
    text_identity,
)


def photo(seed: int, side: int = 48) -> Image.Image:
    """Smooth noise, so that reductions stay meaningful."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: object) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return Image.open(io.BytesIO(buffer.getvalue()))


@given(st.binary(max_size=64))
def test_identity_is_the_signed_64_bit_blake2b_digest(data: bytes) -> None:
    value = identity(data)
    assert -(2**63) <= value < 2**63
    assert (value % 2**64).to_bytes(8, "little") == blake2b(data, digest_size=8).digest()


@pytest.mark.parametrize(
    ("data", "digest"), [(b"", 0x2D06800538D394C2), (b"a", 0xE6C632B61E964E1F), (b"abc", 0x78AF5F94892F3950)]
)
def test_image_identity_is_the_signed_xxh3_digest(data: bytes, digest: int) -> None:
    """Digests as published by other implementations of XXH3, of no seed."""
    value = image_identity(data)
    assert -(2**63) <= value < 2**63
    assert value % 2**64 == digest


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Fire Truck", "fire  truck"),
        (" a\tb\n", "A B"),
        ("straße", "STRASSE"),
        ("ｆｉｒｅ", "fire"),
        ("ﬁn", "fin"),
    ],
)
def test_texts_that_read_the_same_are_the_same(one: str, other: str) -> None:
    assert text_identity(one) == text_identity(other)


@given(st.text(max_size=20), st.text(max_size=20))
def test_text_identity_differs_exactly_when_the_normalized_texts_differ(one: str, other: str) -> None:
    assert (text_identity(one) == text_identity(other)) == (normalized_text(one) == normalized_text(other))


def test_pixels_do_not_depend_on_the_file_format() -> None:
    image = photo(1)
    assert pixel_hash(image) == pixel_hash(encoded(image, "PNG")) == pixel_hash(encoded(image, "BMP"))
    assert pixel_hash(image) == pixel_hash(encoded(image, "WEBP", lossless=True))


def test_one_pixel_or_another_shape_changes_the_pixel_hash() -> None:
    image = photo(2)
    changed = image.copy()
    changed.putpixel((3, 5), (255, 0, 255))
    assert pixel_hash(changed) != pixel_hash(image)
    white = [Image.new("RGB", size, "white") for size in ((4, 9), (9, 4), (6, 6))]
    assert len({pixel_hash(image) for image in white}) == 3


def test_difference_hash_is_the_definition_by_loops() -> None:
    side, tolerance = 5, 8
    image = photo(3)
    small = np.asarray(image.resize((side + 1, side), Image.Resampling.BOX), dtype=int)
    bits = ""
    for row in range(side):
        for column in range(side):
            for channel in range(3):
                step = small[row, column, channel] - small[row, column + 1, channel]
                bits += "1" if step > tolerance else "0"
    bits += "0" * (-len(bits) % 8)
    assert difference_hash(image, side, tolerance) == int(bits, 2)


def test_difference_hash_survives_enlarging_and_compression_and_tells_pictures_apart() -> None:
    hashes = set()
    for seed in range(20):
        cells = np.random.default_rng(seed).integers(0, 5, (5, 6, 3), dtype=np.uint8) * 60
        small, large = (Image.fromarray(cells).resize((side, side), Image.Resampling.NEAREST) for side in (60, 240))
        same = {difference_hash(image, 5, 30) for image in (small, large, encoded(large, "WEBP", quality=90))}
        assert len(same) == 1
        hashes |= same
    assert len(hashes) == 20
