"""Text towers: any transformers encoder, or the bag of n-grams."""

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from manyview.errors import UsageError
from manyview.model.config import TextTowerConfig
from manyview.model.ngrams import NgramTower
from manyview.model.packed import Packing, packed_attention, padded, token_rows

__all__ = ["PACKED", "TransformerTower", "build_text_tower"]

PACKED = frozenset({"bert", "camembert", "ernie", "roberta", "xlm-roberta"})
"""Model types of transformers that run without padding, each held to its padded twin by a test."""

_POSITIONS_AFTER_PAD = {"camembert", "roberta", "xlm-roberta"}  # their first position is the padding token's number + 1
_PACKED_ATTENTION = "manyview_packed"
_TOGETHER = 64  # texts padded to one length at inference


class TransformerTower(nn.Module):
    """A transformers encoder with random weights, pooled to one vector a text.

    Families in PACKED compute no padding: transformers' own modules run over the real tokens of all texts, and
    attention stays within each text (`packed_attention`). Others, or `packed=False`, run over padded rows.
    """

    def __init__(self, config: TextTowerConfig, vocab_size: int, pad: int, *, packed: bool = True) -> None:
        super().__init__()
        self.pooling = config.pooling
        self.encoder = _create(config.name, {"vocab_size": vocab_size, "pad_token_id": pad, **config.options})
        self.width = int(self.encoder.config.hidden_size)
        self._pad = pad
        self.packed = packed and config.name in PACKED
        if self.packed:
            self.encoder.set_attn_implementation(_PACKED_ATTENTION)

    def forward(self, tokens: Mapping[str, Tensor]) -> Tensor:
        """[n, width] from `ids` [total] and `lengths` [n]."""
        if self.packed:
            return self._from_packed(tokens)
        if torch.is_grad_enabled() or len(tokens["lengths"]) <= _TOGETHER:
            return self._from_padded(tokens)
        packing = Packing.of(tokens["lengths"])  # those of like length together are padded least
        behind = {"ids": tokens["ids"][packing.index], "lengths": tokens["lengths"][packing.order]}
        parts = [
            self._from_padded(token_rows(behind, start, min(start + _TOGETHER, len(packing.order))))
            for start in range(0, len(packing.order), _TOGETHER)
        ]
        return torch.cat(parts)[packing.order.argsort()]

    def _from_packed(self, tokens: Mapping[str, Tensor]) -> Tensor:
        packing = Packing.of(tokens["lengths"])
        first = self.encoder.config.pad_token_id + 1 if self.encoder.config.model_type in _POSITIONS_AFTER_PAD else 0
        output = self.encoder(
            input_ids=tokens["ids"].long()[packing.index][None],
            position_ids=packing.positions[None] + first,
            packing=packing,
        )
        states: Tensor = output.last_hidden_state[0]
        if self.pooling == "mean":
            lengths = tokens["lengths"].long()[packing.order]
            owners = torch.arange(len(lengths), device=lengths.device).repeat_interleave(lengths)
            sums = torch.zeros(len(lengths), self.width, device=states.device).index_add(0, owners, states.float())
            pooled = sums / lengths[:, None]
        else:
            pooled = states[packing.starts]
            if self.pooling == "pooler":
                pooled = self.encoder.pooler(pooled[:, None])
        return pooled[packing.order.argsort()]

    def _from_padded(self, tokens: Mapping[str, Tensor]) -> Tensor:
        rows = padded(tokens, self._pad)
        output = self.encoder(**rows)
        if self.pooling == "pooler":
            pooled: Tensor = output.pooler_output
            return pooled
        states: Tensor = output.last_hidden_state
        if self.pooling == "cls":
            return states[:, 0]
        mask = rows["attention_mask"][:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)


def build_text_tower(config: TextTowerConfig, vocab_size: int, pad: int) -> nn.Module:
    """The tower a config names, with random weights. Raises UsageError for what transformers does not know."""
    if config.name == "ngrams":
        try:
            return NgramTower(**config.options)
        except TypeError as error:
            raise UsageError(f"model.text.options does not fit the ngrams tower: {error}") from None
    return TransformerTower(config, vocab_size, pad)


def _create(name: str, options: dict[str, Any]) -> Any:
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from transformers import (  # noqa: PLC0415  2 s that the CPU tower does not need
        CONFIG_MAPPING,
        AttentionInterface,
        AutoConfig,
        AutoModel,
    )

    AttentionInterface.register(_PACKED_ATTENTION, packed_attention)
    if name not in CONFIG_MAPPING:
        raise UsageError(f"no text tower named {name!r}, allowed: ngrams or a transformers model type such as bert")
    try:
        config = AutoConfig.for_model(name, **options)
        return AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError) as error:
        raise UsageError(f"transformers cannot make {name!r} with model.text.options: {error}") from None
