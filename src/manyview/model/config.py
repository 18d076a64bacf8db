"""ModelConfig: the two towers and the space they share."""

import math
from typing import Any, Literal

from pydantic import Field

from manyview.config import Config
from manyview.model.ngrams import WORD_RULES

__all__ = ["ImageTowerConfig", "ModelConfig", "TextTowerConfig", "with_saved_defaults"]


class ImageTowerConfig(Config):
    """What turns an image into one vector."""

    name: str = Field("residual", description='"residual" (ours, for the CPU) or the name of any timm model.')
    size: int = Field(64, ge=16, description="Side of the square input, in pixels.")
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Passed to the tower: widths and depths for residual, anything timm.create_model takes.",
    )


class TextTowerConfig(Config):
    """What turns a text into one vector."""

    name: str = Field(
        "ngrams",
        description='"ngrams" (ours, a bag of hashed words and character n-grams) or the model type of any '
        "transformers text encoder: bert, ernie, roberta, xlm-roberta, modernbert, ...",
    )
    options: dict[str, Any] = Field(
        default_factory=dict,
        description="Passed to the tower: buckets and width for ngrams, the configuration keys of transformers.",
    )
    pooling: Literal["cls", "mean", "pooler"] = Field(
        "cls",
        description="transformers only: the first token (of a causal model the last), the mean of all, or the model's "
        "own pooler.",
    )
    vocab_size: int = Field(
        30_000,
        ge=100,
        description="transformers only: size at most of the WordPiece vocabulary trained on the corpus.",
    )
    max_tokens: int | None = Field(
        None,
        ge=4,
        description="Longest text it is trained on, in tokens, where encode_text cuts. Empty: the longest max_tokens "
        "of the views; in a model saved without this key, 64.",
    )
    word_rules: Literal[1, 2] = Field(
        WORD_RULES,
        description="ngrams only: what a word is. 2: letters with their marks, digits, and symbols, normalised; "
        "1: letters and digits alone, as in models saved without this key.",
    )


class ModelConfig(Config):
    """A dual encoder: image tower, text tower, a projection of each to `embed_dim`, one temperature."""

    embed_dim: int = Field(256, ge=2, description="Width of the shared space.")
    image: ImageTowerConfig = Field(default_factory=ImageTowerConfig, description="Image tower.")
    text: TextTowerConfig = Field(default_factory=TextTowerConfig, description="Text tower.")
    logit_scale_init: float = Field(math.log(1 / 0.07), description="Start of logit_scale, in log space.")
    logit_scale_max: float = Field(math.log(100), description="Clamp of logit_scale, in log space.")


def with_saved_defaults(config: ModelConfig) -> ModelConfig:
    """A config read from a file, with the values that were in force before the keys that the file lacks existed."""
    text = config.text
    if text.name != "ngrams" or "word_rules" in text.model_fields_set:
        return config
    return config.model_copy(update={"text": text.model_copy(update={"word_rules": 1})})
