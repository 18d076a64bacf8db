"""Packed texts: tokens of many texts behind one another, so that nothing is computed for padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from manyview.model.attention import short_attention

__all__ = ["Packing", "join_tokens", "packed_attention", "padded", "short_attention", "token_rows"]


@dataclass(frozen=True)
class Packing:
    """How n texts lie behind one another, the shortest first.

    `order` [n]: the place in the batch of each text as it lies; `index` [total]: of each token as it lies;
    `positions` [total] in its text, `starts` [n] of the texts; `groups`: (texts, tokens each) of one length.
    """

    order: Tensor
    index: Tensor
    positions: Tensor
    starts: Tensor
    groups: Sequence[tuple[int, int]]

    @classmethod
    def of(cls, lengths: Tensor) -> Packing:
        """From the lengths [n] of the texts of a batch."""
        lengths = lengths.long()
        order = lengths.argsort(stable=True)
        behind = lengths[order]
        starts = behind.cumsum(0) - behind
        positions = torch.arange(int(behind.sum()), device=lengths.device) - starts.repeat_interleave(behind)
        first = lengths.cumsum(0) - lengths
        index = first[order].repeat_interleave(behind) + positions
        each, counts = torch.unique_consecutive(behind, return_counts=True)
        return cls(order, index, positions, starts, list(zip(counts.tolist(), each.tolist(), strict=True)))


def packed_attention(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    *,
    packing: Packing,
    scaling: float,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Tensor, None]:
    """[1, total, heads, width] from [1, heads, total, width]: every text attends to itself alone.

    In half precision on a GPU one kernel takes all lengths; elsewhere texts of equal length go together.
    """
    if query.is_cuda and query.dtype in (torch.float16, torch.bfloat16) and not dropout:
        from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415  2 s that a CPU does not need

        q, k, v = (of[0].transpose(0, 1).contiguous() for of in (query, key, value))
        ends = functional.pad(packing.starts, (0, 1), value=query.shape[2]).int()
        longest = packing.groups[-1][1]
        out = varlen_attn(q, k, v, ends, ends, longest, longest, scale=scaling)
        assert isinstance(out, Tensor)
        return out[None], None
    sizes = [texts * tokens for texts, tokens in packing.groups]
    parts = []
    for group, *qkv in zip(packing.groups, *(torch.split(of[0], sizes, 1) for of in (query, key, value)), strict=True):
        q, k, v = (of.unflatten(1, group).transpose(0, 1) for of in qkv)  # [texts, heads, tokens, width]
        parts.append(short_attention(q, k, v, scaling, dropout).transpose(1, 2).flatten(0, 1))
    return torch.cat(parts)[None], None


def padded(tokens: Mapping[str, Tensor], pad: int) -> dict[str, Tensor]:
    """`input_ids` and `attention_mask` [n, longest] of packed texts."""
    lengths = tokens["lengths"].long()
    there = torch.arange(int(lengths.max()), device=lengths.device) < lengths[:, None]
    input_ids = lengths.new_full(there.shape, pad)
    input_ids[there] = tokens["ids"].long()
    return {"input_ids": input_ids, "attention_mask": there.long()}


def token_rows(tokens: Mapping[str, Tensor], start: int, stop: int) -> dict[str, Tensor]:
    """The tokens of texts `start` to `stop` among those of all."""
    ends = functional.pad(tokens["lengths"].long().cumsum(0), (1, 0))
    return {"ids": tokens["ids"][ends[start] : ends[stop]], "lengths": tokens["lengths"][start:stop]}


def join_tokens(parts: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """The tokens of several batches behind one another."""
    return {name: torch.cat([of[name] for of in parts]) for name in ("ids", "lengths")}
