"""Plug-ins: taggers by name, our own and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Tagger
from manyview.tags.taggers import (
    classifier,
    described,
    grounding_dino,
    object_detection,
    ocr,
    onnx_model,
    owl,
    torchvision_detection,
    zero_shot,
)

__all__ = ["BUILT_IN", "GROUP", "load_tagger", "tagger_names"]

GROUP = "manyview.taggers"
Load = Callable[[TaggerConfig, str], Tagger]


def tagger_names() -> list[str]:
    """The taggers there are: the built-in ones and the entry points of the group."""
    return sorted({*BUILT_IN, *entry_points(group=GROUP).names})


def load_tagger(config: TaggerConfig, device: str = "auto") -> Tagger:
    """The tagger that a config names; the built-in one where a plug-in has the same name. Raises UsageError.

    `device`: cpu, cuda, cuda:1, ...; auto: cuda where there is one.
    """
    if config.name in BUILT_IN:
        return BUILT_IN[config.name](config, device)
    for entry in entry_points(group=GROUP):
        if entry.name == config.name:
            load: Load = entry.load()
            return load(config, device)
    raise UsageError(f"no tagger named {config.name!r}, allowed: {', '.join(tagger_names())}")


BUILT_IN: Mapping[str, Load] = {
    "classifier": classifier.load,
    "described": described.load_with(load_tagger),
    "detection": object_detection.load,
    "grounding-dino": grounding_dino.load,
    "imagenet": classifier.load_imagenet,
    "ocr": ocr.load,
    "onnx": onnx_model.load,
    "owl": owl.load,
    "torchvision": torchvision_detection.load,
    "zero-shot": zero_shot.load,
}
