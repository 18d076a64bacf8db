"""Cleaning: what is left out of a corpus, each time with the reason."""

from manyview.corpus.cleaning.cleaner import Cleaner
from manyview.corpus.cleaning.image_facts import ImageFacts, look
from manyview.corpus.cleaning.image_rules import ImageRules, judge_image
from manyview.corpus.cleaning.near_duplicates import components, near_pairs, stand_ins
from manyview.corpus.cleaning.rules import CleaningRules, clean_views

__all__ = [
    "Cleaner",
    "CleaningRules",
    "ImageFacts",
    "ImageRules",
    "clean_views",
    "components",
    "judge_image",
    "look",
    "near_pairs",
    "stand_ins",
]
