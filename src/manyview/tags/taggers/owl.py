"""OWL-ViT and OWLv2: boxes for any vocabulary; labels are encoded once, however many images follow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, boxed, kept
from manyview.tags.taggers.pretrained import load_pretrained
from manyview.tags.taggers.tensors import by_shape
from manyview.tags.vocabulary import wanted_labels
from manyview.tags.weights import options_of, version_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["OwlOptions", "load"]

_TEXTS_AT_ONCE = 64
_TOKENS = 16  # OWL's text towers have no more places


class OwlOptions(Config):
    """What OWL alone can be told."""

    templates: tuple[str, ...] = Field(
        default=("a photo of a {label}",),
        description="sentences about a label, whose features are averaged",
        min_length=1,
    )


class Owl:
    """Every image patch speaks for the label it is most like."""

    name = "owl"
    habits = Habits(threshold=0.2, lang="en")

    def __init__(
        self,
        model: Any,
        processor: Any,
        labels: Sequence[str],
        options: OwlOptions,
        floor: float,
        version: str,
    ) -> None:
        self.version = version
        self._model, self._processor, self._labels, self._floor = model, processor, labels, floor
        self._queries = self._encode(options.templates)
        self._squared = model.config.model_type == "owlv2"  # it pads images to squares, its forerunner stretches them

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        import torch  # noqa: PLC0415  seconds to import

        found: list[list[Detection]] = [[] for _ in images]
        pixels = [self._processor.image_processor(images=of, return_tensors="pt")["pixel_values"][0] for of in images]
        with torch.inference_mode():
            for places, stacked in by_shape(pixels):
                for place, scores, boxes in zip(places, *self._look(stacked), strict=True):
                    found[place] = self._detections(scores, boxes, images[place].size)
        return found

    def _encode(self, templates: Sequence[str]) -> Tensor:
        """[labels, width]: the mean of a label's sentences, each of length one."""
        import torch  # noqa: PLC0415  seconds to import

        towers = getattr(self._model, self._model.config.model_type)
        texts = [template.replace("{label}", label) for label in self._labels for template in templates]
        chunks = []
        with torch.inference_mode():
            for start in range(0, len(texts), _TEXTS_AT_ONCE):
                chunk = texts[start : start + _TEXTS_AT_ONCE]
                tokens = self._processor.tokenizer(
                    chunk, padding="max_length", max_length=_TOKENS, truncation=True, return_tensors="pt"
                )
                moved = {key: tokens[key].to(self._model.device) for key in ("input_ids", "attention_mask")}
                chunks.append(torch.nn.functional.normalize(towers.get_text_features(**moved).pooler_output, dim=-1))
        return torch.cat(chunks).view(len(self._labels), len(templates), -1).mean(1)

    def _look(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [n, patches, labels] and boxes [n, patches, 4]: center, width and height in shares."""
        feature_map = self._model.image_embedder(pixel_values=pixels.to(self._model.device))[0]
        patches = feature_map.flatten(1, 2)
        logits, _ = self._model.class_predictor(patches, self._queries.expand(len(pixels), -1, -1), None)
        return logits.sigmoid().cpu(), self._model.box_predictor(patches, feature_map).cpu()

    def _detections(self, scores: Tensor, boxes: Tensor, size: tuple[int, int]) -> list[Detection]:
        best, labels = scores.max(dim=-1)
        wide, high = (max(size) / side if self._squared else 1.0 for side in size)
        found = []
        for row in (best >= self._floor).nonzero()[:, 0].tolist():
            x, y, width, height = boxes[row].tolist()
            box = ((x - width / 2) * wide, (y - height / 2) * high, (x + width / 2) * wide, (y + height / 2) * high)
            found.append(boxed(self._labels[int(labels[row])], float(best[row]), box))
        return kept(found, self._floor)


def load(config: TaggerConfig, device: str) -> Owl:
    """`model` is a folder of `save_pretrained`, or a hub id; `vocabulary` says what to look for. Raises UsageError."""
    options, labels = options_of(OwlOptions, config), wanted_labels(config)
    loaded = load_pretrained(
        config, device, "AutoModelForZeroShotObjectDetection", "AutoProcessor", "a folder of an OWL-ViT or OWLv2"
    )
    model, processor = loaded.model, loaded.processor
    if model.config.model_type not in ("owlv2", "owlvit"):
        raise UsageError(f"{config.model} is a {model.config.model_type}, allowed: owlv2, owlvit")
    version = version_of("owl", loaded.weights, {"floor": config.floor, "labels": labels, **options.model_dump()})
    return Owl(model, processor, labels, options, config.floor, version)
