"""What the benchmarks share: a model of the size of ViT-B-32 in manyview and in OpenCLIP, and texts as numbers."""

import logging

import numpy as np
import open_clip
import torch
from torch import Tensor, nn

from manyview.model import DualEncoder, ImageTowerConfig, ModelConfig, TextTowerConfig, train_wordpiece

CONTEXT, VOCABULARY, WIDTH = 77, 49_408, 512
LENGTHS = {"caption": (10, 17), "tags": (5, 10)}
"""Tokens of a text, at least and less than: 13 and 7 in the mean, the ends included."""


def ours() -> DualEncoder:
    """timm's ViT-B/32 and a BERT of the size of CLIP's text tower, without dropout, which that has not either."""
    text = {
        "hidden_size": WIDTH,
        "num_hidden_layers": 12,
        "num_attention_heads": 8,
        "intermediate_size": 4 * WIDTH,
        "max_position_embeddings": CONTEXT,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "vocab_size": VOCABULARY,
    }
    config = ModelConfig(
        embed_dim=WIDTH,
        image=ImageTowerConfig(name="vit_base_patch32_224", size=224),
        text=TextTowerConfig(name="bert", options=text),
    )
    return DualEncoder(config, train_wordpiece(["texts are drawn as numbers"], 100))


def theirs() -> nn.Module:
    """OpenCLIP's ViT-B-32."""
    logging.disable(logging.WARNING)  # that there are no weights
    model: nn.Module = open_clip.create_model("ViT-B-32")
    return model


def drawn_texts(view: str, count: int) -> list[Tensor]:
    """Texts of a view as token numbers, the last the highest, where OpenCLIP pools."""
    draw = np.random.default_rng(len(view))
    lengths = draw.integers(*LENGTHS[view], size=count)
    last = VOCABULARY - 1
    return [torch.tensor([1, *draw.integers(5, last, size=length - 2), last]) for length in lengths]


def packed(texts: list[Tensor]) -> dict[str, Tensor]:
    """As manyview's text tower takes them."""
    return {"ids": torch.cat(texts).int(), "lengths": torch.tensor([len(text) for text in texts], dtype=torch.int32)}


def padded_to_context(texts: list[Tensor]) -> Tensor:
    """As OpenCLIP's takes them: [n, 77]."""
    return torch.stack([nn.functional.pad(text, (0, CONTEXT - len(text))) for text in texts])
