"""Tagger: what looks at images and says what it sees there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal, Protocol, cast

from PIL import Image

__all__ = ["Box", "Detection", "Habits", "Order", "Tagger", "boxed", "kept"]

Box = tuple[float, float, float, float]
Order = Literal["importance", "given"]

_DIGITS = 4
_MOST = 100


@dataclass(frozen=True)
class Detection:
    """Something seen in an image.

    `score` is the tagger's confidence, 0 to 1. `area` is the share of the image it covers, 1 for what is said of the
    whole image. `box` is left, top, right, bottom in shares of width and height.
    """

    label: str
    score: float
    area: float = 1.0
    box: Box | None = None
    attributes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Habits:
    """What is done with a tagger's findings where the config says nothing of it.

    `kind` of view they become; `threshold`: the score from which they are usually right; `lang` of the labels, ""
    when unknown; `order`: the most important first, or as the tagger gives them.
    """

    kind: str = "tags"
    threshold: float = 0.5
    lang: str = ""
    order: Order = "importance"


class Tagger(Protocol):
    """What looks at images. A plug-in is a function of a TaggerConfig and a device that returns one."""

    @property
    def name(self) -> str:
        """What the views' origin says."""

    @property
    def version(self) -> str:
        """Differs when the weights or a setting that changes findings differ; findings are cached under it."""

    @property
    def habits(self) -> Habits:
        """Defaults of a run."""

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        """The findings in each RGB image; what an image gets does not depend on the others."""


def boxed(label: str, score: float, box: Sequence[float]) -> Detection:
    """A finding in a box, cut at the borders of the image; a box that is none has no surface."""
    if not all(map(isfinite, box)):
        return Detection(label, score, 0.0)
    left, top, right, bottom = (min(1.0, max(0.0, side)) for side in box)
    area = max(0.0, right - left) * max(0.0, bottom - top)
    return Detection(label, score, area, (left, top, right, bottom))


def kept(detections: Sequence[Detection], floor: float) -> list[Detection]:
    """Those with a score of at least `floor`, the surest 100 of them, in their order, numbers rounded to four digits.

    Rounding keeps the last bits, in which batches and machines differ, out of caches and views. Labels that name
    nothing and boxes without a surface are left out.
    """
    good = [of for of in detections if of.score >= floor and of.area > 0 and of.label.strip()]
    surest = sorted(range(len(good)), key=lambda place: -good[place].score)[:_MOST]
    return [_rounded(good[place]) for place in sorted(surest)]


def _rounded(of: Detection) -> Detection:
    box = None if of.box is None else cast(Box, tuple(round(side, _DIGITS) for side in of.box))
    return Detection(of.label, round(of.score, _DIGITS), round(of.area, _DIGITS), box, of.attributes)
