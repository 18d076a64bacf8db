"""Chinese phrases: attributes and nouns that jieba finds side by side, joined as in the text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from manyview.tags.phrases.reader import Words
from manyview.tags.taggers.runtime import needs

__all__ = ["chinese_phrases"]

_OF = "的"
_NOUNS = ("n", "eng")  # and all that begins so: people, places, brands
_ATTRIBUTES = ("a", "b", "z", "vn", "s")


def chinese_phrases(texts: Sequence[str]) -> list[list[Words]]:
    """Of each text, in its order. Raises UsageError where rjieba is not installed."""
    needs("of Chinese phrases", "rjieba")
    import rjieba  # noqa: PLC0415  optional, and it reads a dictionary

    return [list(_phrases(rjieba.tag(text))) for text in texts]


def _phrases(tagged: Sequence[tuple[str, str]]) -> Iterator[Words]:
    run: list[tuple[str, str]] = []
    for word, flag in [*tagged, ("", "x")]:
        if flag.startswith(_NOUNS + _ATTRIBUTES) or (word == _OF and run and run[-1][0] != _OF):
            run.append((word, flag))
            continue
        if phrase := _up_to_a_noun(run):
            yield phrase
        run = []


def _up_to_a_noun(run: Sequence[tuple[str, str]]) -> Words:
    last = next((place for place in range(len(run) - 1, -1, -1) if run[place][1].startswith(_NOUNS)), -1)
    return tuple(word for word, _ in run[: last + 1])
