"""ViewsConfig: which views a recipe draws from a record."""

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from manyview.config import Config

__all__ = ["Augment", "ImageView", "TextView", "ViewsConfig"]

Augment = Literal["none", "gentle", "official"]
Langs = tuple[str, ...] | dict[str, float]


class ImageView(Config):
    """One rendering of the image; every image view of a record comes from one decode."""

    augment: Augment = Field(
        "gentle",
        description="none: resize and center crop; gentle: mild zoom, shift and flip, for drawings and small "
        "data; official: ERNIE-ViL 2.0's random crop, flip, color jitter, grayscale and blur.",
    )
    flip: bool = Field(True, description="Mirror half of the images (never with augment=none).")
    area: tuple[float, float] | None = Field(
        None,
        description="official only: crop a rectangle of such a share of the picture, least and most, with sides of 3:4 "
        "to 4:3 (torchvision's RandomResizedCrop; small crops of SwAV and DINO: [0.05, 0.4]). Empty: a square of the "
        "short side.",
    )
    size: int | None = Field(
        None, ge=16, description="Side in pixels, for crops smaller than the model's. Empty: the model's."
    )
    exact: bool = Field(
        False,
        description="official only: Pillow's antialiased crops and torchvision's color changes one after the other, "
        "instead of OpenCV's crops and one color matrix an image; several times slower.",
    )

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.area is not None and not 0 < self.area[0] <= self.area[1] <= 1:
            raise ValueError(f"area={list(self.area)}, allowed: least and most of 1, as [0.2, 1]")
        if self.augment != "official" and (self.area is not None or self.exact):
            raise ValueError(f"area and exact are of augment=official, not of augment={self.augment}")
        return self


class TextView(Config):
    """One rendering of what is said about the image, absent where the record has no such text."""

    kinds: tuple[str, ...] | dict[str, float] = Field(
        description="Kinds of text to draw from: a list is an order of preference, a mapping gives "
        'probabilities among those present. "title+tags" joins several kinds.'
    )
    langs: Langs = Field((), description="Languages of this view; empty: views.langs.")
    template: str = Field("{text}", description='What is written around the text, "The picture contains {text}."')
    drop: float | tuple[float, float] = Field(
        0.3,
        description="Probability that a tag is left out (one always stays). Two numbers: drawn evenly between them for "
        "each text, so that lists of one tag come as well as long ones.",
    )
    shuffle: bool = Field(True, description="Put tags in a random order each time.")
    max_tokens: int = Field(64, ge=4, description="Longer texts are cut to so many tokens, specials included.")
    weighted: bool = Field(
        False,
        description="Rows of this view count in the loss by the weight of their text where the view asks, and its "
        "texts are drawn evenly; else a weight says how often a text is drawn. Of a list the mean of its entries.",
    )

    @field_validator("langs")
    @classmethod
    def _some_language(cls, langs: Langs) -> Langs:
        return _checked_langs(langs)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not self.kinds:
            raise ValueError("kinds is empty, allowed: at least one kind of text")
        if isinstance(self.kinds, dict):
            _check_weights(self.kinds)
        low, high = (self.drop, self.drop) if isinstance(self.drop, float) else self.drop
        if not 0 <= low <= high <= 1 or low == 1:
            raise ValueError(f"drop={self.drop}, allowed: a number from 0 to below 1, or two, as [0, 1]")
        if "{text}" not in self.template:
            raise ValueError("a template must hold {text}")
        return self

    def named_kinds(self) -> set[str]:
        """The plain kinds of text this view may read."""
        drawn = [k for k, weight in self.kinds.items() if weight] if isinstance(self.kinds, dict) else self.kinds
        return {part for kind in drawn for part in kind.split("+")}


class ViewsConfig(Config):
    """All views of a training step, by name."""

    images: dict[str, ImageView] = Field(
        default_factory=lambda: {"image": ImageView()}, description="Image views by name."
    )
    texts: dict[str, TextView] = Field(description="Text views by name.")
    lists: tuple[str, ...] = Field(
        ("tags", "objects"),
        description="Kinds whose entries are joined by commas; of other kinds one entry is drawn.",
    )
    langs: Langs = Field(
        (),
        description='Languages of all text views, as BCP-47 codes (zh stands for zh-Hans too, "" for texts of no '
        "stated language). Empty: every language that a record has, evenly. A mapping prefers: languages are drawn "
        "by weight, others where a record has none of them; a weight of 0 is never drawn, the key * stands for all "
        "others. A list allows no others.",
    )

    renderings: int | None = Field(
        None,
        ge=1,
        description="So many different renderings of each view of a record, one an epoch in turn, the same with every "
        "seed. Empty: a new one in each epoch.",
    )

    @field_validator("langs")
    @classmethod
    def _some_language(cls, langs: Langs) -> Langs:
        return _checked_langs(langs)

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if both := set(self.images) & set(self.texts):
            raise ValueError(f"view names must differ, {sorted(both)} name an image and a text view")
        if not self.images:
            raise ValueError("images is empty, allowed: at least one image view")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Every view, images first."""
        return (*self.images, *self.texts)

    def langs_of(self, view: str) -> Langs:
        """The languages of a text view: its own, or those of all."""
        return self.texts[view].langs or self.langs


def _check_weights(weights: dict[str, float]) -> None:
    if min(weights.values(), default=0) < 0 or not sum(weights.values()):
        raise ValueError("probabilities must be 0 or more, and not all 0")


def _checked_langs(langs: Langs) -> Langs:
    """A mapping of zeros alone says what is not drawn; all others are, unless "*" is 0 too."""
    if isinstance(langs, dict) and langs and (min(langs.values()) < 0 or ("*" in langs and not sum(langs.values()))):
        raise ValueError("weights of languages must be 0 or more, and not all 0")
    return langs
