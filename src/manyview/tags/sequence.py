"""Sequence: findings become phrases, the most important first, and phrases a sentence."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from manyview.corpus.fingerprint import normalized_text
from manyview.tags.config import SelectionConfig
from manyview.tags.tagger import Detection, Order

__all__ = ["Tag", "joined", "ordered_tags", "phrase", "render_tags", "selected"]

_IDEOGRAPH = "[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"
_BETWEEN = re.compile(f"(?<={_IDEOGRAPH}) (?={_IDEOGRAPH})")


@dataclass(frozen=True)
class Tag:
    """A phrase about an image, the confidence in it, and the share of the image that it is about."""

    text: str
    score: float
    area: float


def phrase(detection: Detection) -> str:
    """Attributes before the label: "green tree"."""
    return joined((*detection.attributes, detection.label))


def joined(words: Iterable[str]) -> str:
    """Words as they are written side by side: without spaces between Chinese characters."""
    return _BETWEEN.sub("", " ".join(" ".join(words).split()))


def ordered_tags(detections: Iterable[Detection], order: Order) -> list[Tag]:
    """One tag a phrase, by score x area or by first appearance; ties are broken by score, then by text.

    Findings of one phrase, compared without case, are merged: the highest score, the sum of their areas (at most 1),
    the spelling of the surest. A bare label is left out where the same label stands with an attribute.
    """
    groups: dict[str, list[Detection]] = {}
    for of in detections:
        groups.setdefault(normalized_text(phrase(of)), []).append(of)
    described = {normalized_text(of.label) for group in groups.values() for of in group if of.attributes}
    tags = [_merged(group) for key, group in groups.items() if key not in described or group[0].attributes]
    if order == "given":
        return tags
    return sorted(tags, key=lambda tag: (-tag.score * tag.area, -tag.score, tag.text))


def selected(detections: Sequence[Detection], config: SelectionConfig, threshold: float, order: Order) -> list[Tag]:
    """The tags that a config lets through; its own threshold and order, where it has them, win over those given."""
    least = threshold if config.threshold is None else config.threshold
    never = {normalized_text(label) for label in config.exclude}
    sure = [of for of in detections if of.score >= least and normalized_text(of.label) not in never]
    tags = [tag for tag in ordered_tags(sure, config.order or order) if tag.area >= config.min_area]
    return tags[: config.top]


def render_tags(tags: Sequence[Tag], template: str) -> str:
    """The tags as a list in a sentence: "The picture contains concrete sidewalk, blue sky, red car."."""
    return template.replace("{tags}", ", ".join(tag.text for tag in tags))


def _merged(group: Sequence[Detection]) -> Tag:
    surest = min(group, key=lambda of: (-of.score, phrase(of)))
    return Tag(phrase(surest), surest.score, min(1.0, sum(sorted(of.area for of in group))))
