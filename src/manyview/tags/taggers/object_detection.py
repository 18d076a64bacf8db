"""Object detection: any detector of transformers (DETR, RT-DETRv2, D-FINE, YOLOS, ...), from a folder or the hub."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PIL import Image

from manyview.config import Config
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, boxed, kept
from manyview.tags.taggers.pretrained import load_pretrained
from manyview.tags.taggers.tensors import by_shape
from manyview.tags.weights import options_of, version_of

__all__ = ["load"]

_NO_OBJECT = {"n/a", "no object", "no-object", "background", "__background__"}


class ObjectDetection:
    """`habits.threshold` is what the model cards of DETR and its kin use."""

    name = "detection"
    habits = Habits(threshold=0.5, lang="en")

    def __init__(self, model: Any, processor: Any, version: str, floor: float) -> None:
        self.version = version
        self._model, self._processor, self._floor = model, processor, floor

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        import torch  # noqa: PLC0415  seconds to import

        found: list[list[Detection]] = [[] for _ in images]
        inputs = [self._processor(images=image, return_tensors="pt") for image in images]
        with torch.inference_mode():
            for places, pixels in by_shape([of["pixel_values"][0] for of in inputs]):
                masks = [of["pixel_mask"][0] for of in (inputs[place] for place in places) if "pixel_mask" in of]
                # a mask says where a processor has padded up to a fixed size; where it has not, not all models take it
                mask = {"pixel_mask": torch.stack(masks).to(pixels.device)} if any(not of.all() for of in masks) else {}
                moved = {"pixel_values": pixels, **mask}
                outputs = self._model(**{key: of.to(self._model.device) for key, of in moved.items()})
                shares = [(1, 1)] * len(places)
                results = self._processor.post_process_object_detection(outputs, self._floor, shares)
                for place, result in zip(places, results, strict=True):
                    found[place] = kept(self._detections(result), self._floor)
        return found

    def _detections(self, result: Any) -> list[Detection]:
        names = self._model.config.id2label
        rows = zip(result["scores"].tolist(), result["labels"].tolist(), result["boxes"].tolist(), strict=True)
        found = [boxed(names.get(label, ""), score, box) for score, label, box in rows]
        return [of for of in found if of.label.lower() not in _NO_OBJECT]


def load(config: TaggerConfig, device: str) -> ObjectDetection:
    """`model` is a folder of `save_pretrained`, or a hub id. Raises UsageError."""
    options_of(Config, config)
    loaded = load_pretrained(
        config, device, "AutoModelForObjectDetection", "AutoImageProcessor", "a folder of a DETR or its kin"
    )
    version = version_of("detection", loaded.weights, {"floor": config.floor})
    return ObjectDetection(loaded.model, loaded.processor, version, config.floor)
