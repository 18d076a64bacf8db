"""Laws of imaging: every mode is laid on white alike, and all parts agree on what an image is."""

import io

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from manyview.corpus.builder.config import EncodingConfig
from manyview.corpus.builder.encode import encoded_anew
from manyview.corpus.cleaning.image_facts import ImageFacts
from manyview.corpus.cleaning.image_facts import look as build_look
from manyview.corpus.doctor.look import Look, decoded
from manyview.corpus.doctor.look import look as doctor_look
from manyview.corpus.fetch.sniff import image_type
from manyview.data.images import decode_image, decode_pixels
from manyview.errors import DataError
from manyview.evaluate.showcase import thumbnail as showcase_thumbnail
from manyview.imaging import FORMATS, format_of, image_files, on_white, open_image, refusal
from manyview.search.thumbnail import UNDECODABLE, thumbnail
from manyview.tags.config import TagConfig, TaggerConfig
from manyview.tags.pictures import picture

SIDE = 8


def rgba():
    """Every channel varies; alpha goes from nothing to all from left to right."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (SIDE, SIDE, 4), np.uint8)
    pixels[..., 3] = np.linspace(0, 255, SIDE, dtype=np.uint8)
    return Image.fromarray(pixels)


def with_transparency(mode, value):
    """An image of a mode in which one value is transparent, and which has that value."""
    image = rgba().convert("RGB").convert(mode)
    image.putpixel((0, 0), value)
    image.info["transparency"] = value
    return image


def palette(transparency):
    image = rgba().convert("RGB").quantize(16)
    image.info["transparency"] = transparency
    return image


def palette_with_alpha():
    image = rgba().convert("RGB").quantize(16).convert("PA")
    image.putalpha(rgba().getchannel("A"))
    return image


IN_MODES = {
    "1": lambda: rgba().convert("1"),
    "1 transparent": lambda: with_transparency("1", 0),
    "L": lambda: rgba().convert("L"),
    "L transparent": lambda: with_transparency("L", 7),
    "LA": lambda: rgba().convert("LA"),
    "RGB": lambda: rgba().convert("RGB"),
    "RGB transparent": lambda: with_transparency("RGB", (1, 2, 3)),
    "RGBA": rgba,
    "RGBa": lambda: rgba().convert("RGBa"),
    "RGBX": lambda: rgba().convert("RGB").convert("RGBX"),
    "P": lambda: rgba().convert("RGB").quantize(16),
    "P one transparent": lambda: palette(3),
    "P half transparent": lambda: palette(bytes(range(0, 256, 16))),
    "PA": palette_with_alpha,
    "CMYK": lambda: rgba().convert("RGB").convert("CMYK"),
    "YCbCr": lambda: rgba().convert("RGB").convert("YCbCr"),
    "HSV": lambda: rgba().convert("RGB").convert("HSV"),
}


def laid_on_white(image):
    """The definition."""
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


@pytest.mark.parametrize("name", IN_MODES)
def test_every_mode_is_laid_on_white(name):
    image = IN_MODES[name]()
    assert image.mode == name.split()[0]
    expected = np.asarray(laid_on_white(image))
    assert np.array_equal(np.asarray(on_white(image)), expected)
    if "transparent" in name or name in ("RGBA", "LA", "PA", "RGBa"):
        assert not np.array_equal(expected, np.asarray(image.convert("RGBA").convert("RGB")))


def test_gray_with_premultiplied_alpha_is_laid_on_white_too():
    image = rgba().convert("LA")
    assert np.array_equal(
        np.asarray(on_white(image.convert("La"))), np.asarray(laid_on_white(image.convert("La").convert("LA")))
    )


LEVELS = np.linspace(0, 1, SIDE * SIDE, dtype=np.float32).reshape(SIDE, SIDE)


@pytest.mark.parametrize(
    ("values", "top"),
    [
        (LEVELS, 1),
        (LEVELS * 255, 255),
        (LEVELS * 65535, 65535),
        (LEVELS * 1e6, 1e6),
        (LEVELS * 2 - 1, 1),
        ((LEVELS * 65535).astype(np.uint16), 65535),
        ((LEVELS * 255).astype(np.uint16), 255),
        ((LEVELS * 65535).astype(np.int32), 65535),
        ((LEVELS * 2**30).astype(np.int32), 2**30),
    ],
)
def test_more_than_8_bits_are_scaled_by_the_smallest_usual_white_that_holds_all(values, top):
    gray = np.clip(values.astype(np.float64), 0, top) * 255 / top
    found = np.asarray(on_white(Image.fromarray(values)))
    assert (found == found[..., :1]).all()
    assert np.abs(found[..., 0] - gray).max() <= 1


def test_what_is_no_number_is_black_and_what_is_infinite_white():
    values = np.array([[np.nan, -np.inf], [np.inf, 0.5]], np.float32)
    assert on_white(Image.fromarray(values)).tobytes() == bytes([0] * 6 + [255] * 3 + [127] * 3)


def test_a_transparent_value_of_16_bits_is_white():
    buffer = io.BytesIO()
    Image.fromarray(np.array([[300, 40_000]], np.uint16)).save(buffer, "PNG", transparency=300)
    assert np.asarray(decode_image(buffer.getvalue()))[0].tolist() == [[255] * 3, [155] * 3]


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def clear(mode):
    """Black where it is transparent, which is the left half, and red or gray at the right."""
    pixels = np.zeros((40, 40, 4), np.uint8)
    pixels[:, 20:] = (200, 30, 30, 255)
    return Image.fromarray(pixels).convert(mode)


CLEAR = {
    "RGBA": encoded(clear("RGBA"), "PNG"),
    "LA": encoded(clear("LA"), "PNG"),
    "WebP": encoded(clear("RGBA"), "WEBP"),
    "TIFF": encoded(clear("RGBA"), "TIFF"),
    "AVIF": encoded(clear("RGBA"), "AVIF"),
    "GIF": encoded(clear("RGBA"), "GIF"),
    "palette": encoded(clear("RGBA").quantize(8), "PNG"),
    "tRNS of RGB": encoded(clear("RGBA").convert("RGB"), "PNG", transparency=(0, 0, 0)),
    "tRNS of L": encoded(clear("RGBA").convert("L"), "PNG", transparency=0),
}
TAGS = TagConfig(tagger=TaggerConfig(name="ocr"))
ON_WHITE = {
    "loader": decode_image,
    "loader's pixels": lambda data: Image.fromarray(decode_pixels(data, 16)),
    "doctor": lambda data: on_white(decoded(data, 10**6, 16)[0]),
    "doctor's reduction": lambda data: Image.frombytes("RGB", (8, 8), doctor_look(data, 10**6).reduced),
    "search": lambda data: Image.open(io.BytesIO(thumbnail(data))),
    "report": lambda data: Image.open(io.BytesIO(showcase_thumbnail(data, 40))),
    "build": lambda data: Image.open(io.BytesIO(encoded_anew(data, EncodingConfig(format="JPEG")))),
    "tags": lambda data: picture(data, TAGS),
}


@pytest.mark.parametrize("who", ON_WHITE)
def test_everybody_lays_transparent_images_on_white(who):
    for name, data in CLEAR.items():
        image = ON_WHITE[who](data)
        assert image.mode == "RGB"
        left, right = (np.asarray(image)[:, image.width * at // 8].astype(int) for at in (1, 6))
        assert left.min() > 245, name
        assert right[..., 1].max() < 100, name


def mif1(data):
    """An AVIF whose major brand is the one of all HEIF files."""
    assert data[8:12] == b"avif"
    return data[:8] + b"mif1" + data[12:]


def box(brand, *compatible):
    body = brand + bytes(4) + b"".join(compatible)
    return (8 + len(body)).to_bytes(4, "big") + b"ftyp" + body + bytes(64)


PHOTO = Image.fromarray(np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8)).resize((256, 256))
READABLE = {name: encoded(PHOTO, name) for name in FORMATS} | {
    "AVIF mif1": mif1(encoded(PHOTO, "AVIF")),
    "PPM text": b"P3\n# two pixels\n64 64\n255\n" + b"0 128 255\n" * 4096,
    "float TIFF": encoded(Image.fromarray(np.asarray(PHOTO.convert("L"), np.float32) / 255), "TIFF"),
    "16-bit PNG": encoded(Image.fromarray(np.asarray(PHOTO.convert("L")).astype(np.uint16) * 257), "PNG"),
    "CMYK JPEG": encoded(PHOTO.convert("CMYK"), "JPEG"),
    "1-bit PNG": encoded(PHOTO.convert("1"), "PNG"),
}
UNREADABLE = {
    "HEIC": (box(b"heic", b"mif1", b"heic"), "image: HEIC is not read"),
    "HEIC mif1": (box(b"mif1", b"heic"), "image: HEIC is not read"),
    "JPEG XL": (b"\xff\x0a" + bytes(64), "image: JPEG XL is not read"),
    "SVG": (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>', "image: a vector drawing"),
    "page": (b"<!DOCTYPE html><p>none", "image: a web page"),
    "ICO": (encoded(PHOTO, "ICO"), "image: ICO is not read"),
    "PCX": (encoded(PHOTO, "PCX"), "image: not an image"),
    "text": (b"BMW, P5 and other words", "image: not an image"),
}


@pytest.mark.parametrize("name", READABLE)
def test_all_parts_read_what_is_readable(name):
    data = READABLE[name]
    assert format_of(data) == open_image(data).format == name.split()[0] or " " in name
    assert isinstance(build_look(data), ImageFacts)
    assert isinstance(build_look(data, how="header"), ImageFacts)
    assert isinstance(doctor_look(data, 10**6), Look)
    assert decode_image(data).size == open_image(data).size
    assert decode_pixels(data, 16).shape[2] == 3
    assert isinstance(picture(data, TAGS), Image.Image)
    assert thumbnail(data)
    assert image_type(data[:256]).startswith("image/")


@pytest.mark.parametrize("name", UNREADABLE)
def test_all_parts_refuse_what_is_not_and_name_it(name):
    data, reason = UNREADABLE[name]
    assert refusal(data) == build_look(data) == doctor_look(data, 10**6) == reason
    with pytest.raises(UnidentifiedImageError):
        open_image(data)
    for read in (decode_image, lambda data: decode_pixels(data, 16)):
        with pytest.raises(DataError, match=r"not an image that can be read.*, allowed: .*JPEG"):
            read(data)
    assert picture(data, TAGS) == "image: no known format"
    with pytest.raises(UNDECODABLE):
        thumbnail(data)
    assert image_type(data[:256]) is None


def test_the_images_of_a_folder_are_known_by_suffix_or_content(tmp_path):
    (tmp_path / "a").mkdir()
    named = {"a/b.JPG": READABLE["JPEG"], "c.heic": UNREADABLE["HEIC"][0], "d.jxl": b"?", "e.svg": b"<svg/>"}
    unnamed = {"f": READABLE["WEBP"], "g.dat": READABLE["AVIF mif1"], "h.jpg.part": READABLE["BMP"]}
    others = {"notes.txt": b"BMW", "index.html": b"<svg/>", "empty": b"", "t.json": b"{}"}
    for name, data in (named | unnamed | others).items():
        (tmp_path / name).write_bytes(data)
    assert image_files(tmp_path) == sorted(named | unnamed)
