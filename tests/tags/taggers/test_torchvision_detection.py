"""Laws of torchvision's detectors."""

from pathlib import Path

import pytest
import torch
import torchvision
from PIL import Image
from tests.tags.tiny import pictures
from torchvision.transforms.functional import pil_to_tensor

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.plugins import load_tagger

ARCHITECTURE = "ssdlite320_mobilenet_v3_large"
NAMES = ("__background__", "cat", "dog", "N/A", "car")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights; biases set so that every label is found somewhere."""
    torch.manual_seed(0)
    model = torchvision.models.get_model(ARCHITECTURE, weights=None, weights_backbone=None, num_classes=len(NAMES))
    folder = tmp_path_factory.mktemp("torchvision")
    torch.save({"model": model.state_dict()}, folder / "weights.pth")
    (folder / "names.txt").write_text("\n".join(NAMES))
    return folder / "weights.pth"


def config(weights: Path, **options: object) -> TaggerConfig:
    told = {"architecture": ARCHITECTURE, "labels": str(weights.with_name("names.txt")), **options}
    return TaggerConfig(name="torchvision", model=str(weights), floor=0.2, options=told)


def found_by_the_library(weights: Path, image: Image.Image) -> list[tuple[str, float, list[float]]]:
    model = torchvision.models.get_model(ARCHITECTURE, weights=None, weights_backbone=None, num_classes=len(NAMES))
    model.load_state_dict(torch.load(weights)["model"])
    with torch.inference_mode():
        (result,) = model.eval()([pil_to_tensor(image).float() / 255])
    rows = zip(result["labels"].tolist(), result["scores"].tolist(), result["boxes"].tolist(), strict=True)
    return [(NAMES[label], score, box) for label, score, box in rows if score >= 0.2]


def test_findings_are_the_library_s_in_shares_of_the_image_however_images_are_batched(weights: Path) -> None:
    images = pictures((90, 60), (60, 80), (90, 60))
    for image, found in zip(images, load_tagger(config(weights), "cpu")(images), strict=True):
        expected = [of for of in found_by_the_library(weights, image) if of[0] not in NAMES[0::3]][:100]
        assert found and [of.label for of in found] == [label for label, _, _ in expected][: len(found)]
        for detection, (_, score, box) in zip(found, expected, strict=False):
            shares = [of / side for of, side in zip(box, image.size * 2, strict=True)]
            assert detection.score == pytest.approx(score, abs=2e-4)
            assert detection.box == pytest.approx(shares, abs=2e-3)


def test_a_detector_that_torchvision_has_not_is_said(weights: Path) -> None:
    with pytest.raises(UsageError, match="torchvision has no detector 'yolo', allowed: fasterrcnn"):
        load_tagger(config(weights, architecture="yolo"), "cpu")


def test_a_number_of_labels_that_is_not_the_checkpoint_s_is_said(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    with pytest.raises(UsageError, match="the tagger torchvision cannot load"):
        load_tagger(config(weights, labels=str(tmp_path / "names.txt")), "cpu")


def test_a_checkpoint_that_would_run_code_is_refused(weights: Path, tmp_path: Path) -> None:
    torch.save({"model": [print]}, tmp_path / "weights.pth")
    with pytest.raises(UsageError, match="cannot load"):
        load_tagger(config(weights).model_copy(update={"model": str(tmp_path / "weights.pth")}), "cpu")
