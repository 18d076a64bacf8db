"""Grounding DINO: boxes for any vocabulary; a long one is asked in several prompts, as many labels each as fit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

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

__all__ = ["Prompt", "load", "prompts"]

_TYPES = ("grounding-dino", "mm-grounding-dino")


@dataclass(frozen=True)
class Prompt:
    """Token ids of "label. label." and, of each label by its place in the vocabulary, where its tokens are."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int, int], ...]


def prompts(tokenizer: Any, labels: Sequence[str], max_tokens: int) -> Iterator[Prompt]:
    """All labels, in order, in as few prompts as hold them. Raises UsageError for a label that fits into none."""
    stop = tokenizer.convert_tokens_to_ids(".")
    ids, spans = [tokenizer.cls_token_id], list[tuple[int, int, int]]()
    for place, label in enumerate(labels):
        words = tokenizer(label.lower().replace(".", " "), add_special_tokens=False)["input_ids"]
        if not 0 < len(words) <= max_tokens - 3:
            raise UsageError(f"the label {label!r} has {len(words)} tokens, allowed: 1 to {max_tokens - 3}")
        if len(ids) + len(words) + 2 > max_tokens:
            yield Prompt((*ids, tokenizer.sep_token_id), tuple(spans))
            ids, spans = [tokenizer.cls_token_id], []
        spans.append((place, len(ids), len(ids) + len(words)))
        ids += [*words, stop]
    yield Prompt((*ids, tokenizer.sep_token_id), tuple(spans))


class GroundingDino:
    """A query's score for a label is the mean over the label's tokens, and its label the one it scores highest.

    Reading labels off the tokens over a threshold, as the library does, joins words of neighbors into labels that
    nobody asked for.
    """

    name = "grounding-dino"
    habits = Habits(threshold=0.3, lang="en")

    def __init__(self, model: Any, processor: Any, labels: Sequence[str], floor: float, version: str) -> None:
        self.version = version
        self._model, self._processor, self._labels, self._floor = model, processor, labels, floor
        places = min(model.config.max_text_len, model.config.text_config.max_position_embeddings)
        self._prompts = list(prompts(processor.tokenizer, labels, places))

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        import torch  # noqa: PLC0415  seconds to import

        found: list[list[Detection]] = [[] for _ in images]
        pixels = [self._processor.image_processor(images=of, return_tensors="pt")["pixel_values"][0] for of in images]
        with torch.inference_mode():
            for places, stacked in by_shape(pixels):
                for prompt in self._prompts:
                    for place, scores, boxes in zip(places, *self._look(stacked, prompt), strict=True):
                        found[place] += self._detections(scores, boxes, prompt)
        return [kept(of, self._floor) for of in found]

    def _look(self, pixels: Tensor, prompt: Prompt) -> tuple[Tensor, Tensor]:
        """Scores [n, queries, labels of the prompt] and boxes [n, queries, 4]: center, width and height in shares."""
        import torch  # noqa: PLC0415  seconds to import

        ids = torch.tensor([prompt.ids], device=self._model.device).expand(len(pixels), -1)
        outputs = self._model(
            pixel_values=pixels.to(self._model.device),
            input_ids=ids,
            token_type_ids=torch.zeros_like(ids),
            attention_mask=torch.ones_like(ids),
        )
        tokens = outputs.logits.sigmoid()
        scores = torch.stack([tokens[..., start:stop].mean(-1) for _, start, stop in prompt.spans], dim=-1)
        return scores.cpu(), outputs.pred_boxes.cpu()

    def _detections(self, scores: Tensor, boxes: Tensor, prompt: Prompt) -> Iterator[Detection]:
        best, which = scores.max(dim=-1)
        for row in (best >= self._floor).nonzero()[:, 0].tolist():
            x, y, width, height = boxes[row].tolist()
            label = self._labels[prompt.spans[int(which[row])][0]]
            corners = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
            yield boxed(label, float(best[row]), corners)


def load(config: TaggerConfig, device: str) -> GroundingDino:
    """`model` is a folder of `save_pretrained`, or a hub id; `vocabulary` says what to look for. Raises UsageError."""
    options_of(Config, config)
    labels = wanted_labels(config)
    loaded = load_pretrained(
        config, device, "AutoModelForZeroShotObjectDetection", "AutoProcessor", "a folder of a Grounding DINO"
    )
    model, processor = loaded.model, loaded.processor
    if model.config.model_type not in _TYPES:
        raise UsageError(f"{config.model} is a {model.config.model_type}, allowed: {', '.join(_TYPES)}")
    version = version_of("grounding-dino", loaded.weights, {"floor": config.floor, "labels": labels})
    return GroundingDino(model, processor, labels, config.floor, version)
