"""Zero-shot: which labels of a vocabulary a dual encoder finds most like the image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, kept
from manyview.tags.taggers.towers import Towers, load_towers
from manyview.tags.vocabulary import wanted_labels
from manyview.tags.weights import options_of, version_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ZeroShotOptions", "load", "prompt_features"]


class ZeroShotOptions(Config):
    """What the zero-shot tagger alone can be told."""

    templates: tuple[str, ...] = Field(
        default=("a photo of a {label}",),
        description="sentences about a label, whose features are averaged",
        min_length=1,
    )
    against: tuple[str, ...] = Field(
        default=(), description="sentences that compete with the labels and never become tags, as 'a blurred photo'"
    )
    score: Literal["softmax", "sigmoid", "cosine"] | None = Field(
        default=None,
        description="softmax: shares of all labels; sigmoid: each by itself; cosine: as it is, at least 0; "
        "null: as the model was trained",
    )


class ZeroShot:
    """What it says is about the whole image. A softmax shares out 1, so scores are low for a large vocabulary."""

    name = "zero-shot"
    habits = Habits(threshold=0.2)

    def __init__(
        self, towers: Towers, labels: Sequence[str], options: ZeroShotOptions, floor: float, version: str
    ) -> None:
        self.version = version
        self._towers, self._labels, self._options, self._floor = towers, labels, options, floor
        self._features = prompt_features(towers, labels, options.templates, options.against)

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        if not images:
            return []
        scores = self._scores(self._towers.images(images) @ self._features.T)[:, : len(self._labels)]
        return [self._detections(row) for row in scores]

    def _scores(self, cosines: Tensor) -> Tensor:
        how = self._options.score or ("sigmoid" if self._towers.sigmoid else "softmax")
        logits = self._towers.scale * cosines + self._towers.bias
        if how == "cosine":
            return cosines.clamp(min=0)
        return logits.sigmoid() if how == "sigmoid" else logits.softmax(-1)

    def _detections(self, scores: Tensor) -> list[Detection]:
        places = (scores >= self._floor).nonzero()[:, 0].tolist()
        return kept([Detection(self._labels[place], float(scores[place])) for place in places], self._floor)


def prompt_features(
    towers: Towers, labels: Sequence[str], templates: Sequence[str], against: Sequence[str] = ()
) -> Tensor:
    """[labels + against, embed_dim], L2-normalised: the mean of the sentences about each label, then the others."""
    import torch  # noqa: PLC0415  seconds to import

    sentences = [template.replace("{label}", label) for label in labels for template in templates]
    features = towers.texts([*sentences, *against])
    about = features[: len(sentences)].view(len(labels), len(templates), -1).mean(1)
    return torch.nn.functional.normalize(torch.cat([about, features[len(sentences) :]]), dim=-1)


def load(config: TaggerConfig, device: str) -> ZeroShot:
    """`vocabulary` says what to look for; `model` is anything that `load_towers` takes. Raises UsageError."""
    options, labels = options_of(ZeroShotOptions, config), wanted_labels(config)
    towers = load_towers(config, device)
    settings = {"floor": config.floor, "labels": labels, **options.model_dump()}
    return ZeroShot(towers, labels, options, config.floor, version_of("zero-shot", towers.weights, settings))
