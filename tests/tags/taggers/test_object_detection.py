"""Laws of the detectors of transformers."""

from pathlib import Path

import pytest
import torch
from PIL import Image
from tests.tags.tiny import DETECTORS, pictures, save_detr
from transformers import AutoImageProcessor, AutoModelForObjectDetection

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger

FLOOR = 0.15


def found_by_the_library(folder: Path, image: Image.Image) -> list[tuple[str, float, list[float]]]:
    """Labels, scores and boxes in pixels, of one image alone, as the model cards show it."""
    model, processor = AutoModelForObjectDetection.from_pretrained(folder), AutoImageProcessor.from_pretrained(folder)
    with torch.inference_mode():
        outputs = model.eval()(**processor(images=image, return_tensors="pt"))
    size = [(image.height, image.width)]
    (result,) = processor.post_process_object_detection(outputs, threshold=FLOOR, target_sizes=size)
    rows = zip(result["labels"].tolist(), result["scores"].tolist(), result["boxes"].tolist(), strict=True)
    return [(model.config.id2label[label], score, box) for label, score, box in rows]


@pytest.fixture(scope="module", params=DETECTORS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    DETECTORS[request.param](folder)
    return folder


def test_findings_are_the_library_s_in_shares_of_the_image_however_images_are_batched(folder: Path) -> None:
    images = pictures((90, 60), (60, 80), (90, 60))
    tagger = load_tagger(TaggerConfig(name="detection", model=str(folder), floor=FLOOR), "cpu")
    seen = 0
    for image, found in zip(images, tagger(images), strict=True):
        expected = [of for of in found_by_the_library(folder, image) if of[0] != "N/A"]
        assert [of.label for of in found] == [label for label, _, _ in expected]
        for detection, (_, score, (left, top, right, bottom)) in zip(found, expected, strict=True):
            shares = (left / image.width, top / image.height, right / image.width, bottom / image.height)
            assert detection.score == pytest.approx(score, abs=2e-4)
            assert detection.box == pytest.approx([min(1, max(0, of)) for of in shares], abs=2e-4)
        seen += len(found)
    assert seen, "nothing was compared"


def test_a_folder_that_lacks_weights_is_refused(tmp_path: Path) -> None:
    save_detr(tmp_path)
    from safetensors.torch import load_file, save_file

    weights = load_file(tmp_path / "model.safetensors")
    save_file({key: of for key, of in weights.items() if "class_labels" not in key}, tmp_path / "model.safetensors")
    with pytest.raises(UsageError, match="lacks the weights class_labels_classifier"):
        load_tagger(TaggerConfig(name="detection", model=str(tmp_path)), "cpu")


def test_the_version_follows_the_weights_and_what_is_asked(tmp_path: Path) -> None:
    save_detr(tmp_path)
    config = TaggerConfig(name="detection", model=str(tmp_path))
    first = load_tagger(config, "cpu").version
    assert load_tagger(config, "cpu").version == first
    assert load_tagger(config.model_copy(update={"floor": 0.4}), "cpu").version != first
    from safetensors.torch import load_file, save_file

    weights = load_file(tmp_path / "model.safetensors")
    weights["class_labels_classifier.bias"] += 1e-3
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert load_tagger(config, "cpu").version != first


@pytest.mark.parametrize("model", [None, "a/folder/that/is/not/there"])
def test_a_model_that_is_not_there_is_said(model: str | None) -> None:
    with pytest.raises(UsageError, match=r"the tagger detection (needs a model|cannot load)"):
        load_tagger(TaggerConfig(name="detection", model=model), "cpu")


def test_a_device_that_is_not_there_is_said(tmp_path: Path) -> None:
    save_detr(tmp_path)
    with pytest.raises(UsageError, match="device=nonsense cannot be used"):
        load_tagger(TaggerConfig(name="detection", model=str(tmp_path)), "nonsense")


def test_what_only_another_tagger_can_be_told_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="options of the tagger detection: unknown key 'templates'"):
        load_tagger(TaggerConfig(name="detection", model=str(tmp_path), options={"templates": ["a"]}), "cpu")
