"""Described: the boxes of another tagger, each with the attribute that a dual encoder finds in it ("red car")."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Tagger
from manyview.tags.taggers.towers import Towers, load_towers
from manyview.tags.taggers.zero_shot import prompt_features
from manyview.tags.vocabulary import wanted_labels
from manyview.tags.weights import options_of, version_of

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["DescribedOptions", "load_with"]

_MIN_SIDE_PX = 4


class DescribedOptions(Config):
    """What this tagger alone can be told."""

    tagger: TaggerConfig = Field(description="the tagger whose findings are described")
    template: str = Field(default="a photo of a {label}", description="sentence about an attribute and its label")
    least: float = Field(
        default=0.5, description="share of an attribute, among all and none, that makes it said", gt=0, le=1
    )
    top: int = Field(default=20, description="the surest findings of an image, which alone are described", ge=1)


class Described:
    """An attribute is said where "a red car" is more like the box than "a car" and all the other attributes are."""

    name = "described"

    def __init__(
        self, inner: Tagger, towers: Towers, attributes: Sequence[str], options: DescribedOptions, version: str
    ) -> None:
        self.version, self.habits = version, inner.habits
        self._inner, self._towers, self._attributes, self._options = inner, towers, attributes, options
        self._features: dict[str, Tensor] = {}

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        return [self._described(image, found) for image, found in zip(images, self._inner(images), strict=True)]

    def _described(self, image: Image.Image, found: Sequence[Detection]) -> list[Detection]:
        told = list(found)
        surest = sorted(range(len(found)), key=lambda place: -found[place].score)[: self._options.top]
        crops = {place: crop for place in surest if (crop := _crop(image, found[place])) is not None}
        if not crops:
            return told
        for place, features in zip(crops, self._towers.images(list(crops.values())), strict=True):
            shares = (self._towers.scale * (self._sentences(found[place].label) @ features)).softmax(0)
            best = int(shares.argmax())
            if best < len(self._attributes) and float(shares[best]) >= self._options.least:
                told[place] = replace(found[place], attributes=(self._attributes[best],))
        return told

    def _sentences(self, label: str) -> Tensor:
        """[attributes + 1, embed_dim]: the label with each attribute, then without any."""
        if label not in self._features:
            phrases = [*(f"{attribute} {label}" for attribute in self._attributes), label]
            self._features[label] = prompt_features(self._towers, phrases, [self._options.template])
        return self._features[label]


def _crop(image: Image.Image, found: Detection) -> Image.Image | None:
    """What a finding is about; None where that is too small to be judged."""
    left, top, right, bottom = found.box or (0.0, 0.0, 1.0, 1.0)
    corners = (left * image.width, top * image.height, right * image.width, bottom * image.height)
    x, y, x2, y2 = (round(corner) for corner in corners)
    return image.crop((x, y, x2, y2)) if min(x2 - x, y2 - y) >= _MIN_SIDE_PX else None


def load_with(load_tagger: Callable[[TaggerConfig, str], Tagger]) -> Callable[[TaggerConfig, str], Described]:
    """The loader, given the one of the tagger whose findings are described."""

    def load(config: TaggerConfig, device: str) -> Described:
        """`vocabulary` are attributes; `model` is anything that `load_towers` takes. Raises UsageError."""
        options, attributes = options_of(DescribedOptions, config), wanted_labels(config)
        if options.tagger.name == Described.name:
            raise UsageError("the tagger described describes another tagger's findings, not its own")
        inner, towers = load_tagger(options.tagger, device), load_towers(config, device)
        settings = {"inner": inner.version, "attributes": attributes, **options.model_dump(exclude={"tagger"})}
        return Described(inner, towers, attributes, options, version_of("described", towers.weights, settings))

    return load
