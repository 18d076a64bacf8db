"""Torchvision's detectors (Faster R-CNN, RetinaNet, FCOS, SSD, ...), with weights from a local file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.device import choose_device
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, boxed, kept
from manyview.tags.taggers.state import read_state
from manyview.tags.taggers.tensors import by_shape
from manyview.tags.vocabulary import read_labels
from manyview.tags.weights import model_file, options_of, reading, version_of, weights_digest

__all__ = ["TorchvisionOptions", "load"]

_NOTHING = {"N/A", "__background__"}


class TorchvisionOptions(Config):
    """What torchvision's detectors alone can be told."""

    architecture: str = Field(description="builder's name in torchvision.models.detection, as fasterrcnn_resnet50_fpn")
    labels: Path | None = Field(
        default=None, description="names of the outputs, the background first; null: those of torchvision's own weights"
    )
    build: dict[str, Any] = Field(default_factory=dict, description="further arguments of the builder")


class TorchvisionDetection:
    """`habits.threshold` is the one torchvision's own examples draw boxes at."""

    name = "torchvision"
    habits = Habits(threshold=0.5, lang="en")

    def __init__(self, model: Any, labels: Sequence[str], device: Any, floor: float, version: str) -> None:
        self.version = version
        self._model, self._labels, self._device, self._floor = model, labels, device, floor

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        import torch  # noqa: PLC0415  seconds to import
        from torchvision.transforms.functional import pil_to_tensor  # noqa: PLC0415  seconds to import

        found: list[list[Detection]] = [[] for _ in images]
        with torch.inference_mode():
            for places, stacked in by_shape([pil_to_tensor(image) for image in images]):
                results = self._model(list(stacked.to(self._device).float() / 255))
                for place, result in zip(places, results, strict=True):
                    found[place] = kept(self._detections(result, images[place].size), self._floor)
        return found

    def _detections(self, result: Any, size: tuple[int, int]) -> list[Detection]:
        rows = zip(result["scores"].tolist(), result["labels"].tolist(), result["boxes"].tolist(), strict=True)
        width, height = size
        found = [
            boxed(self._labels[label], score, (left / width, top / height, right / width, bottom / height))
            for score, label, (left, top, right, bottom) in rows
            if label < len(self._labels)
        ]
        return [of for of in found if of.label not in _NOTHING]


def load(config: TaggerConfig, device: str) -> TorchvisionDetection:
    """`model` is a file of a state dict. Raises UsageError."""
    import torchvision  # noqa: PLC0415  seconds to import

    options = options_of(TorchvisionOptions, config)
    file = model_file(config, example="a file of a state dict, .pth or .safetensors")
    known = torchvision.models.list_models(module=torchvision.models.detection)
    if options.architecture not in known:
        raise UsageError(f"torchvision has no detector {options.architecture!r}, allowed: {', '.join(known)}")
    if options.labels is not None:
        labels = read_labels(options.labels)
    else:
        labels = torchvision.models.get_model_weights(options.architecture).DEFAULT.meta["categories"]
    arguments = {"num_classes": len(labels), **options.build}
    with reading(config):
        try:
            model = torchvision.models.get_model(
                options.architecture, weights=None, weights_backbone=None, **arguments
            ).eval()
        except TypeError as error:
            raise UsageError(f"torchvision cannot build {options.architecture} with {arguments}: {error}") from None
        model.load_state_dict(read_state(file))
    settings = {"floor": config.floor, "labels": labels, **options.model_dump(mode="json")}
    version = version_of("torchvision", weights_digest(str(file)), settings)
    on = choose_device(device)
    return TorchvisionDetection(model.to(on), labels, on, config.floor, version)
