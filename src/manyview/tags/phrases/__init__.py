"""Phrases: what a text names, by language; tags for images that nobody has looked at."""

from manyview.tags.phrases.config import PhraseConfig
from manyview.tags.phrases.run import PhraseReport, phrases

__all__ = ["PhraseConfig", "PhraseReport", "phrases"]
