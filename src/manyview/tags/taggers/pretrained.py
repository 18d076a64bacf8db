"""Pretrained: a model of transformers with its processor, from a folder or the hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from manyview.device import choose_device
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.weights import reading, weights_digest

__all__ = ["Pretrained", "load_pretrained"]

_SHOWN = 3


@dataclass(frozen=True)
class Pretrained:
    """`weights` identifies them: a commit of the hub, or a digest of the folder."""

    model: Any
    processor: Any
    weights: str


def load_pretrained(config: TaggerConfig, device: str, model: str, processor: str, example: str) -> Pretrained:
    """What classes of transformers, by name, make of a config's `model`, ready to be used on a device.

    Raises UsageError, also for a folder that lacks some of the weights: the library would draw them at random.
    """
    import transformers  # noqa: PLC0415  seconds to import

    if config.model is None:
        raise UsageError(f"the tagger {config.name} needs a model: {example}, or a hub id")
    with reading(config):
        loaded, info = getattr(transformers, model).from_pretrained(config.model, output_loading_info=True)
        sees = getattr(transformers, processor).from_pretrained(config.model)
    if missing := sorted(info["missing_keys"]):
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise UsageError(f"{config.model} lacks the weights {', '.join(missing[:_SHOWN])}{more}")
    weights = getattr(loaded.config, "_commit_hash", None) or weights_digest(config.model)
    return Pretrained(loaded.eval().to(choose_device(device)), sees, weights)
