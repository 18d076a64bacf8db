"""Decontamination: what also stands in an evaluation set must not be trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pydantic import Field

from manyview.config import Config
from manyview.corpus.cleaning.image_facts import ImageFacts, look
from manyview.corpus.cleaning.near_duplicates import FARTHEST, near_to
from manyview.corpus.cleaning.text_keys import said_keys
from manyview.corpus.corpus import PACKAGED, Corpus
from manyview.corpus.fingerprint import image_identity, text_identity
from manyview.corpus.location import locate
from manyview.errors import UsageError

__all__ = ["CONTENT", "NEAR", "TEXT", "DecontaminationRules", "EvaluationSet", "read_evaluation_sets"]

CONTENT, NEAR = "image: in an evaluation set", "image: near one in an evaluation set"
TEXT = "text: in an evaluation set"


class DecontaminationRules(Config):
    """Against which evaluation sets, and what counts as standing in them."""

    against: tuple[str, ...] = Field(
        (),
        description="corpora (FOLDER or FOLDER#SPLIT), folders of images, .txt files of texts, a line each",
    )
    distance: int | None = Field(
        4, ge=0, le=FARTHEST, description="bits in which perceptual hashes may differ; null: equal files only"
    )
    min_text_chars: int | None = Field(
        16, ge=1, description="texts of so many characters must not be equal; null: texts do not count"
    )


@dataclass(frozen=True)
class EvaluationSet:
    """What is held for evaluation: `identity` of image files, perceptual hashes, `text_identity` of texts; sorted."""

    images: np.ndarray
    perceptual: np.ndarray
    texts: np.ndarray

    def near(self, hashes: np.ndarray, distance: int) -> np.ndarray:
        """[n] bool: which of some perceptual hashes are within a distance of one that is held."""
        return near_to(hashes, self.perceptual, distance)

    def image_reason(self, content: int, perceptual: int | None, distance: int | None) -> str | None:
        """Why an image has to go, by the `identity` of its file and its perceptual hash."""
        place = int(np.searchsorted(self.images, content))
        if place < len(self.images) and self.images[place] == content:
            return CONTENT
        if perceptual is None or distance is None:
            return None
        return NEAR if self.near(np.array([perceptual], np.int64), distance)[0] else None

    def drop_texts(self, views: pa.Table) -> tuple[pa.Table, Counter[str]]:
        """The views whose text, but for case and white space, is none that is held."""
        if not len(self.texts):
            return views, Counter()
        stays = ~np.isin(said_keys(views).view(np.int64), self.texts)
        return views.filter(pa.array(stays)), +Counter({TEXT: int((~stays).sum())})


def read_evaluation_sets(rules: DecontaminationRules) -> EvaluationSet:
    """All of `rules.against`. Raises UsageError for what is none of the three kinds."""
    images, hashes, texts = set[int](), set[int](), set[int]()
    for data, said in (pair for place in rules.against for pair in _contents(place)):
        if data is not None:
            images.add(image_identity(data))
            facts = look(data) if rules.distance is not None else None
            if isinstance(facts, ImageFacts) and facts.perceptual is not None:
                hashes.add(facts.perceptual)
        if rules.min_text_chars is not None:
            texts.update(text_identity(text) for text in said if len(text.strip()) >= rules.min_text_chars)
    return EvaluationSet(*(_sorted(found) for found in (images, hashes, texts)))


def _sorted(numbers: set[int]) -> np.ndarray:
    return np.array(sorted(numbers), np.int64)


def _contents(place: str) -> Iterator[tuple[bytes | None, Iterable[str]]]:
    """Images and texts of an evaluation set."""
    if place.endswith(".txt"):
        yield None, _lines(place)
        return
    folder, _, split = place.partition("#")
    location = locate(folder)
    if split or folder in PACKAGED or _looks_like_a_corpus(folder):
        yield from _records(folder, split)
    elif location.is_dir():
        files = sorted(file for file in location.rglob("*") if file.is_file())
        yield from ((file.read_bytes(), ()) for file in files)
    else:
        raise UsageError(f"the evaluation set {place} is no corpus, no folder of images and no .txt file")


def _looks_like_a_corpus(folder: str) -> bool:
    location = locate(folder)
    return (location / "manifest.json").is_file() or any(location.glob("*.parquet"))


def _records(folder: str, split: str) -> Iterator[tuple[bytes | None, Iterable[str]]]:
    corpus = Corpus.open(folder)
    for name in [split] if split else sorted(corpus.splits):
        for record in corpus.records(name):
            yield record.image, [text.text for text in record.texts]


def _lines(place: str) -> list[str]:
    try:
        return locate(place).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the evaluation texts {place}: {error}") from None
