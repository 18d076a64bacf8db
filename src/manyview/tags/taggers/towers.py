"""Towers: any model that puts images and texts into one space, ours or one of transformers (CLIP and its kin)."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from manyview.device import choose_device
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.taggers.pretrained import load_pretrained
from manyview.tags.weights import weights_digest

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Towers", "load_towers"]

_TEXTS_AT_ONCE = 256


@dataclass(frozen=True)
class Towers:
    """`images` and `texts` give L2-normalised rows; the logit of a pair is `scale` * cosine + `bias`.

    `sigmoid`: whether the model was trained to judge each pair by itself.
    """

    images: Callable[[Sequence[Image.Image]], Tensor]
    texts: Callable[[Sequence[str]], Tensor]
    scale: float
    bias: float
    sigmoid: bool
    weights: str


def load_towers(config: TaggerConfig, device: str) -> Towers:
    """`model` is a run or model folder of manyview, a folder of `save_pretrained`, or a hub id. Raises UsageError."""
    if config.model is not None and Path(config.model).exists() and not _is_of_transformers(Path(config.model)):
        return _ours(Path(config.model), device)
    return _of_transformers(config, device)


def _is_of_transformers(folder: Path) -> bool:
    try:
        return "model_type" in json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return False


def _ours(folder: Path, device: str) -> Towers:
    from manyview.model import DualEncoder, find_model  # noqa: PLC0415  imports torch

    model = DualEncoder.from_pretrained(folder).to(choose_device(device))
    return Towers(
        images=lambda images: model.encode_image(list(images), batch_size=max(1, len(images))),
        texts=lambda texts: model.encode_text(list(texts)),
        scale=float(model.logit_scale.detach().exp()),
        bias=0.0,
        sigmoid=False,
        weights=weights_digest(str(find_model(folder))),
    )


def _of_transformers(config: TaggerConfig, device: str) -> Towers:
    loaded = load_pretrained(config, device, "AutoModel", "AutoProcessor", "a manyview run, a folder of a CLIP")
    model, processor = loaded.model, loaded.processor
    if missing := [of for of in ("get_image_features", "get_text_features", "logit_scale") if not hasattr(model, of)]:
        raise UsageError(f"{config.model} is a {model.config.model_type}, not of CLIP's kin: it has no {missing[0]}")
    return Towers(
        images=lambda images: _image_features(model, processor, images),
        texts=lambda texts: _text_features(model, processor, texts),
        scale=float(model.logit_scale.detach().exp()),
        bias=float(model.logit_bias.detach()) if hasattr(model, "logit_bias") else 0.0,
        sigmoid=hasattr(model, "logit_bias"),
        weights=loaded.weights,
    )


def _image_features(model: Any, processor: Any, images: Sequence[Image.Image]) -> Tensor:
    import torch  # noqa: PLC0415  seconds to import

    pixels = torch.stack(
        [processor.image_processor(images=of, return_tensors="pt")["pixel_values"][0] for of in images]
    )
    with torch.inference_mode():
        features = model.get_image_features(pixel_values=pixels.to(model.device)).pooler_output
    return torch.nn.functional.normalize(features.float(), dim=-1).cpu()


def _text_features(model: Any, processor: Any, texts: Sequence[str]) -> Tensor:
    """Padded to the model's places, as SigLIP was trained; the others are told what is padding."""
    import torch  # noqa: PLC0415  seconds to import

    places = model.config.text_config.max_position_embeddings
    rows = []
    with torch.inference_mode():
        for start in range(0, len(texts), _TEXTS_AT_ONCE):
            some = list(texts[start : start + _TEXTS_AT_ONCE])
            padding = {"padding": "max_length", "max_length": places, "truncation": True}
            tokens = processor.tokenizer(some, return_tensors="pt", **padding).to(model.device)
            features = model.get_text_features(**tokens).pooler_output
            rows.append(torch.nn.functional.normalize(features.float(), dim=-1).cpu())
    return torch.cat(rows)
