"""Laws of decoding and cropping."""

import io

import numpy as np
import pytest
from PIL import Image

from manyview.data.images import (
    Crop,
    crop_exactly,
    crop_fast,
    decode_image,
    decode_pixels,
    draw_crop,
    rendered,
)
from manyview.data.views import ImageView
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


def smooth(width, height):
    """A picture without fine detail."""
    corners = Image.fromarray(RNG.integers(0, 256, (3, 4, 3), np.uint8))
    return corners.resize((width, height), Image.Resampling.BICUBIC)


def far(a, b):
    """Mean distance in levels."""
    return np.abs(np.asarray(a, float) - np.asarray(b, float)).mean()


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("progressive", [False, True])
def test_fast_decoding_gives_the_same_pixels(mode, orientation, progressive):
    exif = Image.Exif()
    exif[274] = orientation
    data = encoded(smooth(64, 48).convert(mode), "JPEG", exif=exif, progressive=progressive, quality=95)
    assert far(decode_pixels(data, 48), decode_image(data)) < 1
    assert far(decode_pixels(data, 12), decode_image(data).resize(decode_pixels(data, 12).shape[1::-1])) < 4


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("size", [(64, 48), (1, 1), (17, 31)])
def test_fast_decoding_of_webp_gives_the_same_pixels(mode, size):
    for options in ({"quality": 80}, {"lossless": True}, {"quality": 80, "xmp": b"more chunks"}):
        data = encoded(smooth(*size).convert(mode), "WEBP", **options)
        np.testing.assert_array_equal(decode_pixels(data, 8), np.asarray(decode_image(data)))


def test_a_webp_that_is_cut_short_or_a_bomb_is_refused_wherever_it_is_cut():
    data = encoded(PHOTO, "WEBP")
    for length in (*range(0, 40), len(data) // 2, len(data) - 1):
        with pytest.raises(DataError, match="image"):
            decode_pixels(data[:length], 8)
    with pytest.raises(DataError, match="64x48 pixels, allowed: 100"):
        decode_pixels(data, 8, max_pixels=100)


@pytest.mark.parametrize(
    ("at_least", "shorter"), [(1000, 768), (700, 768), (384, 384), (200, 192 * 2), (190, 192), (5, 96)]
)
def test_a_large_jpeg_is_scaled_down_while_it_is_decoded_but_never_below_what_is_needed(at_least, shorter):
    data = encoded(smooth(1024, 768), "JPEG")
    pixels = decode_pixels(data, at_least)
    assert min(pixels.shape[:2]) == shorter
    assert far(pixels, Image.open(io.BytesIO(data)).resize(pixels.shape[1::-1])) < 1.5


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF"])
def test_the_first_frame_of_an_animation_is_the_image(kind):
    first, second = (Image.new("RGB", (20, 10), color) for color in ((250, 0, 0), (0, 0, 250)))
    data = encoded(first, kind, save_all=True, append_images=[second], **({"lossless": True} if kind == "WEBP" else {}))
    assert far(decode_pixels(data, 10), first) < 6


@pytest.mark.parametrize("wrong", [b"", b"text", encoded(PHOTO)[:200], encoded(PHOTO, "JPEG")[:300]])
def test_fast_decoding_refuses_what_decoding_refuses(wrong):
    with pytest.raises(DataError, match="image"):
        decode_pixels(wrong, 8)
    with pytest.raises(DataError, match="64x48 pixels, allowed: 100"):
        decode_pixels(encoded(PHOTO, "JPEG"), 8, max_pixels=100)


def test_a_model_is_shown_the_middle_whatever_the_source_is(tmp_path):
    data = encoded(PHOTO)
    (tmp_path / "photo.png").write_bytes(data)
    expected = PHOTO.resize((32, 32), Image.Resampling.BILINEAR, box=(8, 0, 56, 48))
    for source in (PHOTO, data, tmp_path / "photo.png", str(tmp_path / "photo.png")):
        np.testing.assert_array_equal(rendered(source, 32), np.asarray(expected))
    with pytest.raises(DataError, match="image cannot be decoded"):
        rendered(tmp_path / "none.png", 32)


VIEWS = [
    ImageView(augment="none"),
    ImageView(augment="gentle"),
    ImageView(augment="official"),
    ImageView(augment="official", area=(0.05, 0.4)),
]


def test_no_augmentation_is_the_middle_square_and_never_mirrored():
    for draws in (np.zeros(5), np.full(5, 0.9)):
        assert draw_crop(64, 48, ImageView(augment="none"), draws) == Crop(8, 0, 48, 48, False)
    assert draw_crop(64, 48, ImageView(augment="official"), MIDDLE) == Crop(8, 0, 48, 48, False)


@pytest.mark.parametrize("view", VIEWS[1:])
def test_a_mirror_is_held_up_below_one_half_and_where_it_is_wanted(view):
    draws = np.array([0.3, 0.6, 0.49, 0.2, 0.8])
    assert draw_crop(64, 48, view, draws).mirrored
    assert not draw_crop(64, 48, view, draws + np.array([0, 0, 0.02, 0, 0])).mirrored
    assert not draw_crop(64, 48, view.model_copy(update={"flip": False}), draws).mirrored


@pytest.mark.parametrize("cut", [crop_exactly, crop_fast])
def test_a_mirrored_crop_is_the_crop_mirrored(cut):
    pixels = np.asarray(PHOTO)
    straight = cut(pixels, Crop(3.3, 2.2, 40.1, 30.7, False), 32)
    np.testing.assert_array_equal(cut(pixels, Crop(3.3, 2.2, 40.1, 30.7, True), 32), straight[:, ::-1])


@pytest.mark.parametrize("cut", [crop_exactly, crop_fast])
@pytest.mark.parametrize("view", VIEWS)
def test_crops_stay_inside_for_any_draw_and_shape(cut, view):
    for width, height in ((5, 90), (90, 5), (33, 33), (1, 1)):
        pixels = np.full((height, width, 3), (10, 200, 30), np.uint8)
        for corner in (np.zeros(5), np.full(5, 1 - 1e-9)):
            crop = draw_crop(width, height, view, corner)
            assert min(crop.left, crop.top) >= 0
            assert crop.left + crop.width <= width
            assert crop.top + crop.height <= height
            assert (cut(pixels, crop, 16) == np.array([10, 200, 30])).all()


def test_areas_and_shapes_are_those_asked_for():
    draws = np.random.default_rng(0).random((2000, 5))
    crops = [draw_crop(100, 100, ImageView(augment="official", area=(0.05, 0.4)), of) for of in draws]
    areas = np.array([crop.width * crop.height / 10_000 for crop in crops])
    shapes = np.array([crop.width / crop.height for crop in crops])
    assert 0.05 <= areas.min() < 0.06
    assert 0.39 < areas.max() <= 0.4
    assert areas.mean() == pytest.approx(0.225, abs=0.01)
    assert 3 / 4 <= shapes.min() < 0.76
    assert 1.31 < shapes.max() <= 4 / 3


@pytest.mark.parametrize("size", [24, 60, 150])
def test_a_fast_crop_is_the_exact_one_but_for_a_pixel(size):
    pixels = np.asarray(smooth(300, 200))
    crop = Crop(20.4, 10.2, 150.3, 140.6, True)
    assert far(crop_fast(pixels, crop, size), crop_exactly(pixels, crop, size)) < 2
