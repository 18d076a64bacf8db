"""Laws of the perceptual hash."""

from collections.abc import Callable
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image
from tests.corpus.hostile import encoded, picture

from manyview.corpus.cleaning.image_facts import ImageFacts, look
from manyview.corpus.cleaning.perceptual_hash import perceptual_hash

SEEDS = range(10)


@cache
def detailed(seed: int) -> Image.Image:
    """A picture of shapes at every scale."""
    rng = np.random.default_rng(seed)
    layers = [
        cv2.resize(rng.random((side, side, 3)), (320, 240), interpolation=cv2.INTER_CUBIC) for side in (3, 6, 12, 40)
    ]
    mixed = sum(layer / (i + 1) for i, layer in enumerate(layers))
    return Image.fromarray((np.clip(mixed / 2.1, 0, 1) * 255).astype(np.uint8))


def seen(data: bytes) -> int:
    """The hash of a file."""
    facts = look(data)
    assert isinstance(facts, ImageFacts) and facts.perceptual is not None
    return facts.perceptual


def apart(one: int, other: int) -> int:
    return ((one ^ other) & (2**64 - 1)).bit_count()


@pytest.mark.parametrize(
    "change",
    [
        lambda image: encoded(image, "JPEG", quality=40),
        lambda image: encoded(image.resize((200, 150)), "PNG"),
        lambda image: encoded(image.resize((640, 480)), "JPEG"),
        lambda image: encoded(image.resize((100, 75)), "WEBP"),
        lambda image: encoded(image.point(lambda level: level * 0.9 + 10), "PNG"),
        lambda image: encoded(image.convert("RGBA"), "PNG"),
    ],
)
def test_the_same_picture_is_near_itself(change: Callable[[Image.Image], bytes]) -> None:
    distances = [apart(seen(encoded(detailed(seed), "PNG")), seen(change(detailed(seed)))) for seed in SEEDS]
    assert max(distances) <= 4


def test_other_pictures_are_far_apart() -> None:
    hashes = [seen(encoded(detailed(seed), "PNG")) for seed in SEEDS]
    distances = [apart(one, other) for i, one in enumerate(hashes) for other in hashes[:i]]
    assert min(distances) > 8
    assert 28 < np.mean(distances) < 36


def test_a_picture_and_its_mirror_image_differ() -> None:
    for seed in SEEDS:
        gray = np.asarray(detailed(seed).convert("L"))
        assert apart(perceptual_hash(gray) or 0, perceptual_hash(gray[:, ::-1].copy()) or 0) > 8


def test_half_of_the_bits_are_set_and_fit_a_signed_column() -> None:
    for seed in SEEDS:
        found = seen(encoded(picture(200, 100, seed), "PNG"))
        assert -(2**63) <= found < 2**63
        assert (found & (2**64 - 1)).bit_count() == 32


@pytest.mark.parametrize("image", [Image.new("RGB", (50, 50), "red"), Image.new("RGBA", (50, 50), (0, 0, 0, 0))])
def test_blank_pictures_have_none(image: Image.Image) -> None:
    facts = look(encoded(image, "PNG"))
    assert isinstance(facts, ImageFacts)
    assert facts.perceptual is None
    assert perceptual_hash(np.random.default_rng(0).integers(200, 203, (90, 90)).astype(np.uint8)) is None


def test_transparent_pictures_are_seen_over_white() -> None:
    shape = picture(64, 64)
    shape.putalpha(Image.new("L", (64, 64), 0))
    shape.paste("black", (10, 10, 40, 30))
    flat = Image.new("RGB", (64, 64), "white")
    flat.paste("black", (10, 10, 40, 30))
    assert apart(seen(encoded(shape, "PNG")), seen(encoded(flat, "PNG"))) == 0


def test_turning_by_the_exif_mark_is_turning() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = detailed(1)
    upright = lying.transpose(Image.Transpose.ROTATE_270)
    assert apart(seen(encoded(lying, "JPEG", exif=exif)), seen(encoded(upright, "PNG"))) <= 4
