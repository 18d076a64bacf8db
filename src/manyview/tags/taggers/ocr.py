"""OCR: the words printed in an image, Chinese and English, by RapidOCR with the models in its wheel."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version as installed_version
from typing import Any

import numpy as np
from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, boxed, kept
from manyview.tags.taggers.runtime import needs, on_cuda
from manyview.tags.weights import options_of, version_of

__all__ = ["OcrOptions", "load"]


class OcrOptions(Config):
    """What OCR alone can be told."""

    min_characters: int = Field(default=2, description="shorter lines, which are mostly specks, are left out", ge=1)
    upright: bool = Field(default=True, description="whether lines that stand on their head are turned first")
    threads: int = Field(default=0, description="threads of a model; 0: one a core", ge=0)


class Ocr:
    """Each finding is a line of print; as given they are in reading order."""

    name = "ocr"
    habits = Habits(kind="ocr", threshold=0.8, order="given")

    def __init__(self, engine: Any, floor: float, options: OcrOptions, version: str) -> None:
        self.version = version
        self._engine, self._floor, self._options = engine, floor, options

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [self._read(image) for image in images]

    def _read(self, image: Image.Image) -> list[Detection]:
        result = self._engine(np.asarray(image)[..., ::-1], use_cls=self._options.upright)
        if result.txts is None or result.boxes is None:
            return []
        found = []
        for corners, text, score in zip(result.boxes, result.txts, result.scores, strict=True):
            (left, top), (right, bottom) = corners.min(0) / image.size, corners.max(0) / image.size
            found.append(boxed(" ".join(text.split()), float(score), (left, top, right, bottom)))
        long = [of for of in found if sum(map(str.isalnum, of.label)) >= self._options.min_characters]
        return kept(long, self._floor)


def load(config: TaggerConfig, device: str) -> Ocr:
    """Takes no model. Raises UsageError where rapidocr or ONNX Runtime is not installed."""
    options = options_of(OcrOptions, config)
    needs("ocr", "rapidocr", "onnxruntime")
    from rapidocr import RapidOCR  # noqa: PLC0415  a second to import

    told = {
        "Global.log_level": "critical",
        "Global.text_score": config.floor,
        "EngineConfig.onnxruntime.intra_op_num_threads": options.threads or -1,
        "EngineConfig.onnxruntime.use_cuda": on_cuda(device),
    }
    weights = f"rapidocr {installed_version('rapidocr')}"
    settings = {"floor": config.floor, **options.model_dump(exclude={"threads"})}
    return Ocr(RapidOCR(params=told), config.floor, options, version_of("ocr", weights, settings))
