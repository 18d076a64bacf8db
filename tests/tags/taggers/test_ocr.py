"""Laws of OCR, with the models in its wheel and print that OpenCV's own fonts draw."""

import cv2
import numpy as np
import pytest
from PIL import Image

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger

pytest.importorskip("rapidocr")
SIGNS = [
    ("小心地滑", "Mind the step"),
    ("新鲜苹果", "Fresh apples"),
    ("禁止吸烟", "No smoking"),
    ("北京大学出版社", "University Press"),
    ("全场五折", "50% off today"),
    ("出口", "EXIT"),
]


def sign(*lines: str) -> Image.Image:
    """Lines of print below each other on a light ground."""
    canvas = np.full((70 * len(lines) + 30, 460, 3), (225, 240, 235), np.uint8)
    for place, line in enumerate(lines):
        cv2.putText(canvas, line, (30, 70 * (place + 1)), (40, 30, 20), cv2.FontFace("uni"), 40, 400)
    return Image.fromarray(canvas)


@pytest.mark.slow
def test_printed_chinese_and_english_is_read_line_by_line() -> None:
    tagger = load_tagger(TaggerConfig(name="ocr"), "cpu")
    assert tagger.habits.kind == "ocr"
    for lines, found in zip(SIGNS, tagger([sign(*lines) for lines in SIGNS]), strict=True):
        assert tuple(of.label for of in found) == lines
        for place, of in enumerate(found):
            assert of.score > tagger.habits.threshold
            assert of.box is not None
            height = 70 * len(lines) + 30
            assert of.box[1] * height < 70 * (place + 1) - 10 < of.box[3] * height, "the box is not where the line is"


@pytest.mark.slow
def test_a_picture_without_print_has_no_words() -> None:
    assert load_tagger(TaggerConfig(name="ocr"), "cpu")([Image.new("RGB", (300, 200), (90, 120, 60))]) == [[]]


@pytest.mark.slow
def test_single_characters_are_read_when_asked_for() -> None:
    found = []
    for least in (1, 3):
        config = TaggerConfig(name="ocr", options={"min_characters": least})
        found.append([of.label for of in load_tagger(config, "cpu")([sign("出口", "EXIT")])[0]])
    assert found == [["出口", "EXIT"], ["EXIT"]]


def test_a_device_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="device=cuda"):
        load_tagger(TaggerConfig(name="ocr"), "cuda")


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("manyview.tags.taggers.runtime.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="the tagger ocr needs a package: pip install rapidocr onnxruntime"):
        load_tagger(TaggerConfig(name="ocr"), "cpu")
