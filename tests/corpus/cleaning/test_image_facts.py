"""Laws of image facts: what is accepted can be decoded for training, and every refusal has its reason."""

import resource
import time
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from tests.corpus.hostile import Hostile, encoded, hostile_images, picture, png

from manyview.corpus.cleaning.image_facts import FORMATS, ImageFacts, look
from manyview.corpus.cleaning.image_rules import ImageRules, judge_image
from manyview.data.images import decode_image, decode_pixels


@pytest.fixture(scope="module")
def hostile() -> list[Hostile]:
    return hostile_images()


def test_hostile_images_get_the_verdict_they_deserve(hostile: list[Hostile]) -> None:
    wrong = {}
    for image in hostile:
        reason = judge_image(look(image.data), ImageRules())
        if (reason not in image.reasons) if image.reasons else reason is not None:
            wrong[image.name] = reason
    assert wrong == {}


def test_hostile_images_cost_neither_memory_nor_time(hostile: list[Hostile]) -> None:
    before, start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    for image in hostile:
        look(image.data)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 200
    assert time.process_time() - start < 20


def test_what_is_accepted_decodes_for_training_to_the_same_size(hostile: list[Hostile]) -> None:
    accepted = Counter[str]()
    for image in hostile:
        facts = look(image.data)
        if isinstance(facts, ImageFacts):
            accepted[facts.format] += 1
            assert decode_image(image.data).size == (facts.width, facts.height), image.name
            assert decode_pixels(image.data, 10**6).shape[:2] == (facts.height, facts.width), image.name
    assert set(accepted) == {"BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"}


@pytest.mark.filterwarnings("ignore")  # of Pillow's, about the damage
@pytest.mark.parametrize("format", FORMATS)
def test_damage_anywhere_is_refused_or_decodes_for_training(format: str) -> None:
    rng = np.random.default_rng(0)
    whole = np.frombuffer(encoded(picture(40, 30), format), np.uint8)
    for _ in range(60):
        damaged = whole.copy()
        damaged[rng.integers(12, min(rng.choice([60, 400, 10**6]), len(whole)), 3)] = rng.integers(0, 256, 3)
        facts = look(damaged.tobytes())
        if isinstance(facts, ImageFacts):
            assert decode_image(damaged.tobytes()).size == (facts.width, facts.height)
        else:
            assert facts.startswith("image: ")


def test_facts_are_those_of_the_file() -> None:
    data = encoded(picture(90, 60), "JPEG", exif=turned_by(6))
    facts = look(data)
    assert isinstance(facts, ImageFacts)
    assert (facts.format, facts.width, facts.height, facts.frames, facts.mode) == ("JPEG", 60, 90, 1, "RGB")
    assert facts.size_bytes == len(data)


def turned_by(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_frames_of_an_animation_are_counted(format: str) -> None:
    frames = [picture(40, 30, seed) for seed in range(4)]
    facts = look(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert isinstance(facts, ImageFacts)
    assert facts.frames == 4
    assert judge_image(facts, ImageRules(max_frames=3)) == "image: too many frames"


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_is_known_by_its_first_bytes(format: str) -> None:
    facts = look(encoded(picture(64, 48), format))
    assert isinstance(facts, ImageFacts)
    assert (facts.format, facts.width, facts.height) == (format, 64, 48)
    assert judge_image(facts, ImageRules(formats=(format.lower(),))) is None
    other = "PNG" if format != "PNG" else "GIF"
    assert judge_image(facts, ImageRules(formats=(other,))) == "image: format not taken"


def test_a_large_image_is_refused_before_its_pixels_are_decoded() -> None:
    assert look(png(400, 300), max_pixels=400 * 300 - 1) == "image: too many pixels"
    assert look(png(400, 300)) in ("image: truncated", "image: damaged")


@pytest.mark.parametrize(
    ("rules", "reason"),
    [
        ({"min_side_px": 61}, "image: too small"),
        ({"max_aspect": 1.4}, "image: too elongated"),
        ({"max_bytes": 100}, "image: too many bytes"),
        ({"max_pixels": 90 * 60 - 1}, "image: too many pixels"),
        ({}, None),
    ],
)
def test_each_bound_has_its_reason(rules: dict[str, float], reason: str | None) -> None:
    assert judge_image(look(encoded(picture(90, 60), "PNG")), ImageRules.model_validate(rules)) == reason


def test_blank_pictures_stay_unless_unwanted() -> None:
    facts = look(encoded(Image.new("RGB", (64, 64), "teal"), "PNG"))
    assert judge_image(facts, ImageRules()) is None
    assert judge_image(facts, ImageRules(drop_blank=True)) == "image: blank"


def test_formats_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown image formats TGA, allowed: AVIF"):
        ImageRules(formats=("tga",))
