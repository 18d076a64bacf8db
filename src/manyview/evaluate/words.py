"""Words: when two texts have a word in common, in languages with spaces between words and without."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from manyview.corpus.fingerprint import normalized_text
from manyview.model.ngrams import words_of

IDEOGRAPHS = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
RUN = re.compile(rf"[{IDEOGRAPHS}]+|[^{IDEOGRAPHS}]+")
IDEOGRAPH = re.compile(rf"[{IDEOGRAPHS}]")


@dataclass(frozen=True)
class Wording:
    """The words of one or several texts.

    `terms` are words, and of each run of Chinese or Japanese characters its pairs of neighbors (bigrams), or the
    character where it stands alone; `characters` are all Chinese and Japanese characters.
    """

    terms: frozenset[str]
    characters: frozenset[str]

    def shares_a_word(self, other: Wording) -> bool:
        """Whether a word or a bigram is in both, or a character that stands alone in one is anywhere in the other."""
        return not (
            self.terms.isdisjoint(other.terms)
            and self.terms.isdisjoint(other.characters)
            and self.characters.isdisjoint(other.terms)
        )


def wording(texts: Iterable[str]) -> Wording:
    """The words of all the texts together."""
    terms, characters = set[str](), set[str]()
    for text in texts:
        spaced, runs = _split(text)
        terms.update(spaced, *(_bigrams(run) or run for run in runs))
        characters.update(*runs)
    return Wording(frozenset(terms), frozenset(characters))


def words(text: str) -> set[str]:
    """The words of a text, case folded and without plural s; each Chinese or Japanese character is one."""
    spaced, runs = _split(text)
    return set(spaced).union(*runs)


def tokens(text: str) -> list[str]:
    """The words of a text as often as they occur; of Chinese and Japanese every character and every bigram."""
    spaced, runs = _split(text)
    return [*spaced, *(token for run in runs for token in (*run, *_bigrams(run)))]


@lru_cache(maxsize=1 << 18)
def _split(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(words between spaces, runs of Chinese and Japanese characters)"""
    parts = [part for word in words_of(normalized_text(text)) for part in RUN.findall(word)]
    runs = tuple(part for part in parts if IDEOGRAPH.match(part))
    spaced = (part for part in parts if not IDEOGRAPH.match(part))
    return tuple(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in spaced), runs


def _bigrams(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)]
