"""Laws of headers: they say of whole images what their pixels say, and of no hostile one anything worse."""

from dataclasses import replace

import pytest
from PIL import Image
from tests.corpus.hostile import encoded, hostile_images, picture

from manyview.corpus.cleaning.image_facts import FORMATS, ImageFacts, look
from manyview.corpus.cleaning.image_header import jpeg_size
from manyview.corpus.cleaning.image_rules import ImageRules
from manyview.corpus.cleaning.rules import CleaningRules


def by_pixels_without_hash(data: bytes) -> ImageFacts | str:
    facts = look(data)
    return replace(facts, perceptual=None) if isinstance(facts, ImageFacts) else facts


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_a_header_tells_of_a_whole_image_what_its_pixels_tell(format: str, mode: str) -> None:
    data = encoded(picture(90, 60).convert(mode), format)
    facts = look(data, how="header")
    assert isinstance(facts, ImageFacts)
    assert facts == by_pixels_without_hash(data)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"restart_marker_rows": 1}])
def test_plain_jpegs_are_known_without_opening_them(options: dict[str, int]) -> None:
    for image in (picture(90, 61), picture(90, 61).convert("L")):
        assert jpeg_size(encoded(image, "JPEG", **options)) == (90, 61, image.mode)


def test_jpegs_that_are_not_plain_are_opened() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    others = [
        encoded(picture(90, 60), "JPEG", exif=turned),
        encoded(picture(90, 60).convert("CMYK"), "JPEG"),
        encoded(picture(90, 60), "JPEG")[:30],
    ]
    for data in others:
        assert jpeg_size(data) is None
        assert look(data, how="header") == by_pixels_without_hash(data)


def test_what_pixels_accept_headers_accept_and_what_headers_refuse_pixels_refuse_alike() -> None:
    accepted = refused = 0
    for image in hostile_images():
        by_header, by_pixels = look(image.data, how="header"), by_pixels_without_hash(image.data)
        if isinstance(by_pixels, ImageFacts) or isinstance(by_header, str):
            assert by_header == by_pixels, image.name
        accepted += isinstance(by_pixels, ImageFacts)
        refused += isinstance(by_header, str)
    assert accepted > 10
    assert refused > 10


@pytest.mark.parametrize("format", FORMATS)
def test_an_image_without_its_end_is_no_better_by_its_header(format: str) -> None:
    data = encoded(picture(200, 150), format)
    cut = data[: len(data) * 3 // 4]
    assert look(cut, how="header") == by_pixels_without_hash(cut)


def test_a_large_image_is_refused_by_its_header() -> None:
    for format in ("JPEG", "PNG", "WEBP"):
        data = encoded(picture(90, 60), format)
        assert look(data, max_pixels=90 * 60 - 1, how="header") == "image: too many pixels"


@pytest.mark.parametrize(
    ("rules", "sentence"),
    [
        ({"images": {"look": "header", "drop_blank": True}}, "drop_blank needs look: pixels"),
        ({"images": {"look": "header"}, "near_duplicates": {"action": "merge"}}, "merge needs images.look: pixels"),
        (
            {"images": {"look": "header"}, "decontamination": {"against": ["held"]}},
            "distance needs images.look: pixels",
        ),
    ],
)
def test_rules_that_need_pixels_say_so(rules: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        CleaningRules.model_validate(rules)
    assert ImageRules(look="header").look == "header"
