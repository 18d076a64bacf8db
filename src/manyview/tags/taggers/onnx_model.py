"""ONNX: a detector or classifier in ONNX Runtime; its input and outputs are stated as options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from PIL import Image
from pydantic import Field

from manyview.config import Config, load_config
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, boxed, kept
from manyview.tags.taggers.coco import COCO_80
from manyview.tags.taggers.onnx_layout import LAYOUTS, OutputConfig, candidates, surviving
from manyview.tags.taggers.runtime import needs, on_cuda
from manyview.tags.vocabulary import read_labels
from manyview.tags.weights import model_file, options_of, version_of, weights_digest

__all__ = ["InputConfig", "OnnxOptions", "load"]

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class InputConfig(Config):
    """What an image is turned into."""

    size: tuple[int, int] | None = Field(default=None, description="width and height; null: as the model states them")
    fit: Literal["stretch", "corner", "middle"] = Field(
        default="stretch", description="stretch: to the size; the others keep the aspect and fill up what is left"
    )
    fill: int = Field(default=114, description="gray level of what is filled up", ge=0, le=255)
    channels: Literal["rgb", "bgr"] = Field(default="rgb", description="their order")
    order: Literal["nchw", "nhwc"] = Field(default="nchw", description="of the axes")
    mean: tuple[float, float, float] = Field(default=(0, 0, 0), description="taken off levels of 0..255, by channel")
    std: tuple[float, float, float] = Field(default=(1, 1, 1), description="what is left is divided by, by channel")
    sizes_name: str | None = Field(default=None, description="another input, which is given width and height, [n, 2]")


class OnnxOptions(Config):
    """What an ONNX model alone can be told."""

    layout: str = Field(description=f"what its outputs are: {', '.join(LAYOUTS)}")
    output: dict[str, Any] = Field(default_factory=dict, description="where they differ from the layout")
    input: InputConfig = InputConfig()
    labels: Path | None = Field(default=None, description="names of the outputs; null: the 80 of COCO")
    iou: float | None = Field(
        default=0.45, description="overlap from which the less sure of two boxes of a label is dropped", gt=0, le=1
    )


class OnnxModel:
    """Images go through together where the model takes any number of them, else one by one."""

    name = "onnx"
    habits = Habits(threshold=0.3, lang="en")

    def __init__(
        self,
        session: Any,
        options: OnnxOptions,
        output: OutputConfig,
        labels: Sequence[str],
        floor: float,
        version: str,
    ) -> None:
        self.version = version
        self._session, self._options, self._output, self._labels, self._floor = session, options, output, labels, floor
        self._first = session.get_inputs()[0]
        self._size = _size_of(self._first, options.input)
        self._together = not isinstance(self._first.shape[0], int)

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        fitted = [fit(image, self._size, self._options.input) for image in images]
        step = max(1, len(images)) if self._together else 1
        found: list[list[Detection]] = []
        for start in range(0, len(images), step):
            some = fitted[start : start + step]
            outputs = self._run(np.stack([pixels for pixels, _ in some]))
            for place, (_, window) in enumerate(some):
                found.append(self._detections({key: of[place] for key, of in outputs.items()}, window))
        return found

    def _run(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        told = self._options.input
        mean, std = np.array(told.mean, np.float32), np.array(told.std, np.float32)
        batch = (pixels[..., ::-1] if told.channels == "bgr" else pixels).astype(np.float32)
        batch = (batch - mean) / std
        batch = batch.transpose(0, 3, 1, 2) if told.order == "nchw" else batch
        given: dict[str, np.ndarray] = {self._first.name: np.ascontiguousarray(batch, _TYPES[self._first.type])}
        if told.sizes_name is not None:
            given[told.sizes_name] = np.tile(np.array(self._size, np.int64), (len(pixels), 1))
        names = self._output.outputs
        values = self._session.run(list(names.values()), given)
        return {key: np.asarray(of, np.float64) for key, of in zip(names, values, strict=True)}

    def _detections(self, outputs: Mapping[str, np.ndarray], window: np.ndarray) -> list[Detection]:
        found = candidates(outputs, self._output, self._size)
        boxes = (found.boxes - np.tile(window[:2], 2)) / np.tile(window[2:], 2)
        named = [
            of for of in surviving(found, self._floor, self._options.iou) if 0 <= found.labels[of] < len(self._labels)
        ]
        detections = [
            boxed(self._labels[found.labels[of]], float(found.scores[of]), boxes[of].tolist()) for of in named
        ]
        if self._output.form == "whole":
            detections = [Detection(of.label, of.score) for of in detections]
        return kept(detections, self._floor)


def fit(image: Image.Image, size: tuple[int, int], config: InputConfig) -> tuple[np.ndarray, np.ndarray]:
    """[height, width, 3] uint8, and the image's left, top, width and height in shares of it."""
    if config.fit == "stretch":
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR)), np.array([0.0, 0.0, 1.0, 1.0])
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    spare = size[0] - inner[0], size[1] - inner[1]
    left, top = (spare[0] // 2, spare[1] // 2) if config.fit == "middle" else (0, 0)
    canvas = Image.new("RGB", size, (config.fill,) * 3)
    canvas.paste(image.resize(inner, Image.Resampling.BILINEAR), (left, top))
    return np.asarray(canvas), np.array([left / size[0], top / size[1], inner[0] / size[0], inner[1] / size[1]])


def load(config: TaggerConfig, device: str) -> OnnxModel:
    """`model` is an .onnx file. Raises UsageError for one that does not have the inputs and outputs stated."""
    needs("onnx", "onnxruntime")
    import onnxruntime  # noqa: PLC0415  0.3 s to import

    options = options_of(OnnxOptions, config)
    output = _output_of(options)
    file = model_file(config, example="an .onnx file")
    providers = ["CUDAExecutionProvider"] * on_cuda(device) + ["CPUExecutionProvider"]
    try:
        session = onnxruntime.InferenceSession(str(file), providers=providers)
    except Exception as error:  # the library's own classes have no common base
        raise UsageError(f"ONNX Runtime cannot load {file}: {' '.join(str(error).split())[:300]}") from error
    _check(session, options, output, file)
    labels = list(COCO_80) if options.labels is None else read_labels(options.labels)
    settings = {
        "floor": config.floor,
        "labels": labels,
        **options.model_dump(mode="json"),
        **output.model_dump(mode="json"),
    }
    version = version_of("onnx", weights_digest(str(file)), settings)
    return OnnxModel(session, options, output, labels, config.floor, version)


def _output_of(options: OnnxOptions) -> OutputConfig:
    if options.layout not in LAYOUTS:
        raise UsageError(f"options of the tagger onnx: layout got {options.layout!r}, allowed: {', '.join(LAYOUTS)}")
    return load_config(OutputConfig, defaults={**LAYOUTS[options.layout], **options.output})


def _check(session: Any, options: OnnxOptions, output: OutputConfig, file: Path) -> None:
    there = [of.name for of in session.get_outputs()]
    if missing := sorted(set(output.outputs.values()) - set(there)):
        raise UsageError(f"{file} has no output {missing}, only {there}: name them in options.output.outputs")
    needed = {
        "grid": {"grid"},
        "scores": {"boxes", "scores"},
        "listed": {"boxes", "scores", "labels"},
        "whole": {"scores"},
    }
    if lacking := sorted(needed[output.form] - set(output.outputs)):
        raise UsageError(f"options.output.outputs does not say which output holds {lacking}")
    first, *others = session.get_inputs()
    if first.type not in _TYPES or len(first.shape) != 4:
        raise UsageError(
            f"{file} takes {first.type} of {first.shape}, allowed: images of four axes, {', '.join(_TYPES)}"
        )
    if isinstance(first.shape[0], int) and first.shape[0] != 1:
        raise UsageError(f"{file} takes {first.shape[0]} images at a time, allowed: any number, or one")
    if unknown := [of.name for of in others if of.name != options.input.sizes_name]:
        raise UsageError(f"{file} also takes {unknown}: name the one of the sizes in options.input.sizes_name")


def _size_of(first: Any, config: InputConfig) -> tuple[int, int]:
    if config.size is not None:
        return config.size
    height, width = first.shape[2:4] if config.order == "nchw" else first.shape[1:3]
    if not isinstance(height, int) or not isinstance(width, int):
        raise UsageError("the model takes images of any size: state one, as in options.input.size=[640, 640]")
    return width, height
