"""Laws of decoding and cropping."""

import io

import numpy as np
import pytest
from PIL import Image

from manyview.data.images import crop_view, decode_image
from manyview.errors import DataError

RNG = np.random.default_rng(0)
PHOTO = Image.fromarray(RNG.integers(0, 256, (48, 64, 3), np.uint8))
MIDDLE = np.full(5, 0.5)


def encoded(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "CMYK", "RGBA", "LA", "I;16"])
def test_every_mode_becomes_rgb_of_the_same_picture(mode):
    gray = Image.fromarray(np.tile(np.arange(0, 256, 8, dtype=np.uint8), (8, 1)))
    converted = {"I;16": lambda: Image.fromarray(np.asarray(gray, np.uint16) * 257), "P": gray.quantize}
    image = converted.get(mode, lambda: gray.convert("RGB").convert(mode))()
    assert image.mode == mode
    kind = "TIFF" if mode == "CMYK" else "PNG"
    decoded = decode_image(encoded(image, kind))
    assert decoded.mode == "RGB"
    expected = np.asarray(gray.convert("1").convert("RGB") if mode == "1" else gray.convert("RGB"), int)
    assert np.abs(np.asarray(decoded, int) - expected).max() <= 1


def test_transparency_lies_over_white():
    clear = Image.new("RGBA", (4, 4), (255, 0, 0, 0))
    assert decode_image(encoded(clear)).getpixel((1, 1)) == (255, 255, 255)


def test_exif_orientation_is_applied():
    exif = Image.Exif()
    exif[274] = 6
    assert decode_image(encoded(PHOTO, "JPEG", exif=exif)).size == (48, 64)


@pytest.mark.parametrize("wrong", [b"", b"text", encoded(PHOTO)[:200], encoded(PHOTO, "JPEG")[:300]])
def test_what_cannot_be_decoded_is_a_data_error(wrong):
    with pytest.raises(DataError, match="image"):
        decode_image(wrong)


def test_a_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(DataError, match="64x48 pixels, allowed: 100"):
        decode_image(encoded(PHOTO), max_pixels=100)


def test_no_augmentation_is_resize_and_center_crop():
    expected = PHOTO.resize((32, 32), Image.Resampling.BILINEAR, box=(8, 0, 56, 48))
    for augment in ("none", "official"):
        np.testing.assert_array_equal(crop_view(PHOTO, augment, False, 32, MIDDLE), np.asarray(expected))
    np.testing.assert_array_equal(
        crop_view(PHOTO, "none", True, 32, np.zeros(5)), crop_view(PHOTO, "none", False, 32, np.ones(5))
    )


@pytest.mark.parametrize("augment", ["gentle", "official"])
def test_a_flip_mirrors_and_only_below_one_half(augment):
    draws = np.array([0.3, 0.6, 0.49, 0.2, 0.8])
    straight = crop_view(PHOTO, augment, True, 32, draws + np.array([0, 0, 0.02, 0, 0]))
    np.testing.assert_array_equal(crop_view(PHOTO, augment, True, 32, draws), straight[:, ::-1])
    np.testing.assert_array_equal(crop_view(PHOTO, augment, False, 32, draws), straight)


@pytest.mark.parametrize("augment", ["none", "gentle", "official"])
def test_crops_stay_inside_for_any_draw_and_shape(augment):
    for size in ((5, 90), (90, 5), (33, 33)):
        image = Image.new("RGB", size, (10, 200, 30))
        for corner in (np.zeros(5), np.full(5, 1 - 1e-9)):
            crop = crop_view(image, augment, True, 16, corner)
            assert crop.shape == (16, 16, 3)
            assert (crop == np.array([10, 200, 30])).all()
