"""Text towers: any transformers text model, or the bag of n-grams."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from manyview.errors import UsageError
from manyview.model.config import TextTowerConfig
from manyview.model.ngrams import NgramTower
from manyview.model.packed import Packing, packed_attention, padded, token_rows
from manyview.model.tower_probe import depends_on, is_causal, longest_text

__all__ = ["PACKED", "TransformerTower", "build_text_tower", "text_encoder"]

PACKED = frozenset({"bert", "camembert", "ernie", "roberta", "xlm-roberta"})
"""Model types of transformers that run without padding, each held to its padded twin by a test."""

_POSITIONS_AFTER_PAD = {"camembert", "roberta", "xlm-roberta"}  # their first position is the padding token's number + 1
_PACKED_ATTENTION = "manyview_packed"
_TOGETHER = 64  # texts padded to one length at inference
_SPECIAL = 5  # ids at the start of a vocabulary that may stand for padding and ends


class TransformerTower(nn.Module):
    """A transformers model with random weights, pooled to one vector a text.

    Of a model that encodes and decodes, the encoder. Families in PACKED compute no padding: transformers' own modules
    run over the real tokens of all texts, and attention stays within each text (`packed_attention`). Others, causal
    ones, or `packed=False`, run over padded rows.
    """

    def __init__(
        self,
        config: TextTowerConfig,
        vocab_size: int,
        pad: int,
        *,
        special: Mapping[str, int] | None = None,
        packed: bool = True,
    ) -> None:
        """`special`: the tokenizer's ids by transformers' names, such as eos_token_id.

        Raises UsageError for a model that cannot encode such texts.
        """
        super().__init__()
        self.name, self.pooling = config.name, config.pooling
        options = {**(special or {}), "vocab_size": vocab_size, "pad_token_id": pad, **config.options}
        self.encoder = _create(config.name, options)
        self._pad, self._vocab_size = pad, vocab_size
        self._end = (special or {}).get("eos_token_id")
        self.packed = False
        with _evaluated(self):
            self.width, self.causal = self._examine()
        self.packed = packed and not self.causal and config.name in PACKED
        if self.packed:
            self.encoder.set_attn_implementation(_PACKED_ATTENTION)

    def longest_text(self, at_most: int) -> int:
        """Tokens of the longest text it takes, up to `at_most`: the rows of its position table, where it has one."""

        def takes(length: int) -> bool:
            device = next(self.parameters()).device
            ids = torch.arange(length, device=device) % (self._vocab_size - _SPECIAL) + _SPECIAL
            try:
                self({"ids": ids, "lengths": torch.tensor([length], device=device)})
            except (IndexError, RuntimeError, ValueError):
                return False
            return True

        with _evaluated(self):
            return longest_text(takes, at_most)

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
        if self.pooling == "cls" and self.causal:
            last = tokens["lengths"].long() - 1
            return states[torch.arange(len(last), device=last.device), last]
        if self.pooling == "cls":
            return states[:, 0]
        mask = rows["attention_mask"][:, :, None].to(states.dtype)
        return (states * mask).sum(1) / mask.sum(1)

    def _examine(self) -> tuple[int, bool]:
        """(width, whether a token sees those before it alone). Raises UsageError for what is no text encoder."""
        first, second, third, other = (self._vocab_size - number for number in range(1, 5))
        tokens = torch.tensor([first, second, third if self._end is None else self._end])
        try:
            rows = len(self.encoder.get_input_embeddings().weight)
            if rows < self._vocab_size:
                raise ValueError(f"it embeds {rows} tokens, and the tokenizer has {self._vocab_size}")
            width = int(self._states(tokens[None]).shape[-1])
            causal = is_causal(self._states, torch.tensor([first, second, third]), other)
            sees_all = self.pooling != "pooler" or all(
                depends_on(lambda ids: self.encoder(input_ids=ids).pooler_output, tokens, place, other)
                for place in range(2)
            )
        except Exception as error:  # whatever transformers raises for what it misses
            reason = " ".join(str(error).split())[:200]
            raise UsageError(
                f"transformers' {self.name!r} with pooling={self.pooling} is no text tower ({reason}), "
                "allowed: a model of texts alone, and pooling=cls or mean where it has no pooler"
            ) from None
        if not sees_all:
            raise UsageError(
                f"the pooler of {self.name!r} does not see the whole text with this tokenizer: take pooling=cls"
            )
        return width, causal

    def _states(self, ids: Tensor) -> Tensor:
        states: Tensor = self.encoder(input_ids=ids, attention_mask=torch.ones_like(ids)).last_hidden_state
        return states


def build_text_tower(
    config: TextTowerConfig, vocab_size: int, pad: int, special: Mapping[str, int] | None = None
) -> nn.Module:
    """The tower a config names, with random weights. Raises UsageError for what transformers does not know."""
    if config.name == "ngrams":
        try:
            return NgramTower(**config.options)
        except TypeError as error:
            raise UsageError(f"model.text.options does not fit the ngrams tower: {error}") from None
    return TransformerTower(config, vocab_size, pad, special=special)


def text_encoder(model: Any) -> Any:
    """What encodes texts of a transformers model: its encoder, of one that decodes besides, else the model itself."""
    return model.get_encoder() if model.config.is_encoder_decoder else model


@contextmanager
def _evaluated(tower: nn.Module) -> Iterator[None]:
    """Without dropout and gradients meanwhile."""
    was_training = tower.training
    tower.eval()
    try:
        with torch.no_grad():  # not inference_mode: what a model caches now is needed in training
            yield
    finally:
        tower.train(was_training)


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
        config.use_cache = False  # of a decoder, for a next token that nobody asks for
        return text_encoder(AutoModel.from_config(config, dtype=torch.float32))  # type: ignore[no-untyped-call]
    except Exception as error:  # whatever a family raises for options that it does not take
        reason = " ".join(str(error).split())[:300]
        raise UsageError(f"transformers cannot make {name!r} with model.text.options: {reason}") from None
