"""Text towers: any transformers encoder, or the bag of n-grams."""

import os
from typing import Any

import torch
from torch import Tensor, nn

from manyview.errors import UsageError
from manyview.model.config import TextTowerConfig
from manyview.model.ngrams import NgramTower

__all__ = ["TransformerTower", "build_text_tower"]


class TransformerTower(nn.Module):
    """A transformers encoder with random weights, pooled to one vector a text."""

    def __init__(self, config: TextTowerConfig, vocab_size: int) -> None:
        super().__init__()
        self.pooling = config.pooling
        self.encoder = _create(config.name, {"vocab_size": vocab_size, **config.options})
        self.width = int(self.encoder.config.hidden_size)

    def forward(self, tokens: dict[str, Tensor]) -> Tensor:
        """[n, width] from input_ids and attention_mask, both [n, length]."""
        output = self.encoder(**tokens)
        if self.pooling == "pooler":
            pooled: Tensor = output.pooler_output
            return pooled
        states: Tensor = output.last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        mask = tokens["attention_mask"][:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)


def build_text_tower(config: TextTowerConfig, vocab_size: int) -> nn.Module:
    """The tower a config names, with random weights. Raises UsageError for what transformers does not know."""
    if config.name == "ngrams":
        try:
            return NgramTower(**config.options)
        except TypeError as error:
            raise UsageError(f"model.text.options does not fit the ngrams tower: {error}") from None
    return TransformerTower(config, vocab_size)


def _create(name: str, options: dict[str, Any]) -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers import CONFIG_MAPPING, AutoConfig, AutoModel  # noqa: PLC0415  2 s that the CPU tower does not need

    if name not in CONFIG_MAPPING:
        raise UsageError(f"no text tower named {name!r}, allowed: ngrams or a transformers model type such as bert")
    try:
        config = AutoConfig.for_model(name, **options)
        return AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as error:
        raise UsageError(f"transformers cannot make {name!r} with model.text.options: {error}") from None
