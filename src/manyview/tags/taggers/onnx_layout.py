"""ONNX layout: what the outputs of a detector mean, stated as data, and the boxes, scores and labels in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from manyview.config import Config

__all__ = ["LAYOUTS", "Candidates", "OutputConfig", "candidates", "surviving"]


class OutputConfig(Config):
    """How a detector's outputs are to be read."""

    form: Literal["grid", "scores", "listed", "whole"] = Field(
        description="grid: one output [n, cells, 5 + labels] of box, objectness and scores; scores: boxes [n, k, 4] "
        "and scores [n, k, labels]; listed: boxes, scores [n, k] and labels [n, k]; whole: [n, labels]"
    )
    outputs: dict[Literal["boxes", "scores", "labels", "grid"], str] = Field(
        description="names of the model's outputs, by what they hold"
    )
    corners: Literal["xyxy", "yxyx", "cxcywh", "xywh"] = Field(default="xyxy", description="what a box's numbers are")
    unit: Literal["share", "pixel"] = Field(
        default="share", description="of the input's width and height, or its pixels"
    )
    activation: Literal["none", "sigmoid", "softmax"] = Field(default="none", description="what turns scores into 0..1")
    background: Literal["none", "first", "last"] = Field(
        default="none", description="where 'no object' stands in scores"
    )
    strides: tuple[int, ...] = Field(
        default=(), description="of a grid, when boxes are offsets from cells and logarithms of sizes: pixels a cell"
    )
    first_label: int = Field(default=0, description="number of the first label where labels are listed", ge=0)


LAYOUTS: Mapping[str, Mapping[str, Any]] = {
    "yolox": {
        "form": "grid",
        "outputs": {"grid": "output"},
        "corners": "cxcywh",
        "unit": "pixel",
        "strides": (8, 16, 32),
    },
    "ssd": {
        "form": "scores",
        "outputs": {"boxes": "boxes", "scores": "scores"},
        "background": "first",
    },
    "detr": {
        "form": "scores",
        "outputs": {"boxes": "pred_boxes", "scores": "logits"},
        "corners": "cxcywh",
        "activation": "softmax",
        "background": "last",
    },
    "rt-detr": {
        "form": "scores",
        "outputs": {"boxes": "pred_boxes", "scores": "logits"},
        "corners": "cxcywh",
        "activation": "sigmoid",
    },
    "listed": {
        "form": "listed",
        "outputs": {"boxes": "boxes", "scores": "scores", "labels": "labels"},
        "unit": "pixel",
    },
    "classifier": {
        "form": "whole",
        "outputs": {"scores": "logits"},
        "activation": "softmax",
    },
}


@dataclass(frozen=True)
class Candidates:
    """`boxes` [k, 4]: left, top, right, bottom in shares of the input; `scores` [k]; `labels` [k]."""

    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray


def candidates(outputs: Mapping[str, np.ndarray], config: OutputConfig, size: tuple[int, int]) -> Candidates:
    """What stands in one image's outputs, by what they hold; `size` is the input's width and height.

    Each box has the label it scores highest; without boxes, each label the whole image.
    """
    if config.form == "listed":
        labels = outputs["labels"].astype(np.int64) - config.first_label
        return Candidates(_as_shares(outputs["boxes"], config, size), outputs["scores"], labels)
    if config.form == "whole":
        scores = _active(outputs["scores"], config)
        return Candidates(np.tile([0.0, 0.0, 1.0, 1.0], (len(scores), 1)), scores, np.arange(len(scores)))
    if config.form == "grid":
        boxes = _from_grid(outputs["grid"][:, :4], config.strides, size)
        scores = outputs["grid"][:, 4:5] * outputs["grid"][:, 5:]
    else:
        boxes, scores = outputs["boxes"], outputs["scores"]
    scores = _active(scores, config)
    labels = scores.argmax(-1)
    return Candidates(_as_shares(boxes, config, size), scores.max(-1), labels)


def surviving(found: Candidates, floor: float, iou: float | None, most: int = 100) -> list[int]:
    """Places of those with a score of at least `floor`, the surest first.

    One that overlaps a surer one of its label by more than `iou` (intersection over union) is left out.
    """
    left: list[int] = []
    for place in np.argsort(-found.scores, kind="stable").tolist():
        if len(left) == most or not found.scores[place] >= floor:
            break
        rivals = [other for other in left if found.labels[other] == found.labels[place]]
        if iou is None or not rivals or _overlap(found.boxes[place], found.boxes[rivals]).max() <= iou:
            left.append(place)
    return left


def _active(scores: np.ndarray, config: OutputConfig) -> np.ndarray:
    if config.activation == "sigmoid":
        scores = 1 / (1 + np.exp(-scores.clip(-60, 60)))
    elif config.activation == "softmax":
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        scores = powers / powers.sum(-1, keepdims=True)
    return scores[..., int(config.background == "first") : -1 if config.background == "last" else None]


def _from_grid(boxes: np.ndarray, strides: Sequence[int], size: tuple[int, int]) -> np.ndarray:
    """Centers, widths and heights in pixels; cells run along the rows, the finest grid first."""
    if not strides:
        return boxes
    cells, steps = list[np.ndarray](), list[np.ndarray]()
    for stride in strides:
        across, down = size[0] // stride, size[1] // stride
        y, x = np.divmod(np.arange(across * down), across)
        cells.append(np.stack([x, y], axis=-1))
        steps.append(np.full((across * down, 1), stride))
    step = np.concatenate(steps)
    centers = (boxes[:, :2] + np.concatenate(cells)) * step
    return np.concatenate([centers, np.exp(boxes[:, 2:].clip(-20, 20)) * step], axis=-1)


def _as_shares(boxes: np.ndarray, config: OutputConfig, size: tuple[int, int]) -> np.ndarray:
    if config.corners == "cxcywh":
        boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=-1)
    elif config.corners == "xywh":
        boxes = np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=-1)
    elif config.corners == "yxyx":
        boxes = boxes[:, [1, 0, 3, 2]]
    return boxes / np.array([*size, *size], np.float64) if config.unit == "pixel" else boxes


def _overlap(box: np.ndarray, others: np.ndarray) -> np.ndarray:
    inside = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    common = inside.clip(0).prod(-1)
    areas = (box[2:] - box[:2]).prod() + (others[:, 2:] - others[:, :2]).prod(-1) - common
    return np.asarray(common / np.maximum(areas, 1e-12))
