"""What is seen in images, and what texts name, becomes text views."""

from manyview.tags.config import SelectionConfig, TagConfig, TaggerConfig
from manyview.tags.phrases import PhraseConfig, PhraseReport, phrases
from manyview.tags.run import TagReport, tag
from manyview.tags.tagger import Detection, Habits, Tagger

__all__ = [
    "Detection",
    "Habits",
    "PhraseConfig",
    "PhraseReport",
    "SelectionConfig",
    "TagConfig",
    "TagReport",
    "Tagger",
    "TaggerConfig",
    "phrases",
    "tag",
]
