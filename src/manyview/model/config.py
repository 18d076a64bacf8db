"""ModelConfig: the two towers and the space they share."""

import math
from typing import Any, Literal

from pydantic import Field, field_validator

from manyview.config import Config
from manyview.model.ngrams import WORD_RULES

__all__ = ["ImageTowerConfig", "ModelConfig", "RecordConfig", "TextTowerConfig", "with_saved_defaults"]
__all__ = ["HeadConfig", "ImageTowerConfig", "ModelConfig", "TextTowerConfig", "with_saved_defaults"]


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


class RecordConfig(Config):
    """How a record's picture and texts become one vector, see encode_record."""

    weights: dict[str, float] = Field(
        default_factory=dict,
        description="What each view counts: image for the picture, a kind of text for its texts. A view that is not "
        "named counts 1; 0 leaves it out. Empty in a training: learned on the validation split.",
    )
    templates: dict[str, str] = Field(
        default_factory=dict,
        description='What is written around the texts of a kind, "The picture contains {text}.", as in training.',
    )
    lists: tuple[str, ...] = Field(("tags", "objects"), description="Kinds whose entries are joined by commas.")
    langs: tuple[str, ...] = Field(
        (),
        description="Languages of the texts that count; those that a record has where it has none of these. "
        "Empty: all.",
    )

    @field_validator("weights")
    @classmethod
    def _not_negative(cls, weights: dict[str, float]) -> dict[str, float]:
        for view, weight in weights.items():
            if weight < 0:
                raise ValueError(f"the weight of {view!r} is {weight:g}, allowed: 0 or more")
        return weights

    @field_validator("templates")
    @classmethod
    def _with_a_gap(cls, templates: dict[str, str]) -> dict[str, str]:
        if any("{text}" not in template for template in templates.values()):
            raise ValueError("a template must hold {text}")
        return templates


class HeadConfig(Config):
    """What maps the vector of a tower to the shared space: a linear map, and beside it an MLP."""

    hidden: int = Field(0, ge=0, description="Width of the MLP that is added to the linear map; 0: no MLP.")
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of the MLP's hidden layer, and half of it of the input, dropped in training.",
    )


class ModelConfig(Config):
    """A dual encoder: image tower, text tower, a projection of each to `embed_dim`, one temperature."""

    embed_dim: int = Field(256, ge=2, description="Width of the shared space.")
    image: ImageTowerConfig = Field(default_factory=ImageTowerConfig, description="Image tower.")
    text: TextTowerConfig = Field(default_factory=TextTowerConfig, description="Text tower.")
    record: RecordConfig = Field(default_factory=RecordConfig, description="One vector of a picture and its texts.")
    head: HeadConfig = Field(default_factory=HeadConfig, description="What maps each tower to the shared space.")
    logit_scale_init: float = Field(math.log(1 / 0.07), description="Start of logit_scale, in log space.")
    logit_scale_max: float = Field(math.log(100), description="Clamp of logit_scale, in log space.")


def with_saved_defaults(config: ModelConfig) -> ModelConfig:
    """A config read from a file, with the values that were in force before the keys that the file lacks existed."""
    text = config.text
    if text.name != "ngrams" or "word_rules" in text.model_fields_set:
        return config
    return config.model_copy(update={"text": text.model_copy(update={"word_rules": 1})})
