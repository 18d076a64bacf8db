"""Image rules: which pictures are worth keeping."""

from __future__ import annotations

from pydantic import Field, field_validator, model_validator

from manyview.config import Config
from manyview.corpus.cleaning.image_facts import FORMATS, MAX_PIXELS, How, ImageFacts

__all__ = ["ImageRules", "judge_image"]


class ImageRules(Config):
    """Bounds that an image must keep; the loosest that still train by default."""

    look: How = Field(
        "pixels",
        description="pixels decodes every image (finds damaged ones, gives perceptual hashes), header only reads size "
        "and format: several times faster; near-duplicates are not sought then",
    )
    min_side_px: int = Field(16, ge=1, description="shortest side an image may have")
    max_aspect: float = Field(10.0, ge=1, description="how many times the long side may exceed the short one")
    max_pixels: int = Field(MAX_PIXELS, ge=1, le=MAX_PIXELS, description="width times height, refused before decoding")
    max_bytes: int = Field(64 << 20, ge=1, description="size of the encoded image")
    max_frames: int | None = Field(
        None, ge=1, description="refuse longer animations; their first frame is what is used"
    )
    formats: tuple[str, ...] = Field(FORMATS, description=f"which formats are taken, of {', '.join(FORMATS)}")
    drop_blank: bool = Field(False, description="refuse pictures on which nothing is to be seen")

    @field_validator("formats")
    @classmethod
    def _known(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted({name.upper() for name in formats} - set(FORMATS))
        if unknown:
            raise ValueError(f"unknown image formats {', '.join(unknown)}, allowed: {', '.join(FORMATS)}")
        return tuple(name.upper() for name in formats)

    @model_validator(mode="after")
    def _seen(self) -> ImageRules:
        if self.drop_blank and self.look == "header":
            raise ValueError("drop_blank needs look: pixels, for a header does not tell what is to be seen")
        return self


def judge_image(facts: ImageFacts | str, rules: ImageRules) -> str | None:
    """The reason against an image, of which `look` has found `facts`; None if it may stay."""
    if isinstance(facts, str):
        return facts
    short, long = sorted((facts.width, facts.height))
    failed = {
        "image: format not taken": facts.format not in rules.formats,
        "image: too many bytes": facts.size_bytes > rules.max_bytes,
        "image: too many pixels": short * long > rules.max_pixels,
        "image: too small": short < rules.min_side_px,
        "image: too elongated": long > rules.max_aspect * short,
        "image: too many frames": rules.max_frames is not None and facts.frames > rules.max_frames,
        "image: blank": rules.drop_blank and facts.perceptual is None,
    }
    return next((reason for reason, applies in failed.items() if applies), None)
