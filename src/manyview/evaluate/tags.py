"""Held-out titles and the tags a model should put near them, none of which shares a word with its title."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from manyview.corpus import Corpus
from manyview.corpus.fingerprint import normalized_text
from manyview.corpus.split import seeded_order
from manyview.errors import UsageError
from manyview.evaluate.items import Item, read_items
from manyview.evaluate.queries import DEFAULT_LANG, texts_of
from manyview.evaluate.relation import Indices, Relation
from manyview.evaluate.words import words


@dataclass(frozen=True)
class TagTask:
    """Titles, in hashed order, and the normalised tags of the corpus, in alphabetical order.

    `barred` are the vocabulary positions that share a word with a title: neither its own tags nor their
    rivals come from there. `own` are the tags to find. `frequency` counts the records of the other splits
    that carry a tag.
    """

    titles: tuple[str, ...]
    vocabulary: tuple[str, ...]
    own: Relation
    barred: Relation
    frequency: Indices


def tag_task(
    corpus: Corpus,
    split: str = "test",
    *,
    vocabulary_splits: Sequence[str] = ("train", "test"),
    lang: str = "",
    default_lang: str = DEFAULT_LANG,
    max_share: float = 1.0,
    seed: int = 0,
) -> TagTask:
    """The distinct titles of a split that have a tag in other words, and the tags of the named splits.

    Tags that more than `max_share` of the records of the other splits carry are left out: such as "sign"
    or "action", they say what kind of thing it is and not what. Raises UsageError when no title remains.
    """
    held_out = read_items(corpus, split)
    others = [
        item
        for name in vocabulary_splits
        if name != split and name in corpus.splits
        for item in read_items(corpus, name)
    ]
    frequency = Counter(tag for item in others for tag in _tags(item, lang, default_lang))
    seen = {*frequency, *(tag for item in held_out for tag in _tags(item, lang, default_lang))}
    vocabulary = sorted(tag for tag in seen if frequency[tag] <= max_share * max(1, len(others)))
    position = {tag: index for index, tag in enumerate(vocabulary)}

    wording: dict[str, str] = {}
    tags: dict[str, set[int]] = {}
    for item in held_out:
        for title in texts_of(item.texts, "title", lang, default_lang)[:1]:
            key = normalized_text(title)
            wording.setdefault(key, title)
            tags.setdefault(key, set()).update(
                position[tag] for tag in _tags(item, lang, default_lang) if tag in position
            )

    barred = _sharing_a_word(list(tags), vocabulary)
    asked = sorted((key for key in tags if tags[key] - barred[key]), key=lambda key: seeded_order(seed, key))
    if not asked:
        raise UsageError(f"split {split!r} has no title with a tag in other words: there is nothing to measure")
    return TagTask(
        titles=tuple(wording[key] for key in asked),
        vocabulary=tuple(vocabulary),
        own=Relation.from_rows([tags[key] - barred[key] for key in asked]),
        barred=Relation.from_rows([barred[key] for key in asked]),
        frequency=np.array([frequency[tag] for tag in vocabulary], dtype=np.int64),
    )


def _tags(item: Item, lang: str, default_lang: str) -> set[str]:
    return {normalized_text(tag) for tag in texts_of(item.texts, "tags", lang, default_lang)}


def _sharing_a_word(titles: Sequence[str], vocabulary: Sequence[str]) -> dict[str, set[int]]:
    having: dict[str, list[int]] = {}
    for index, tag in enumerate(vocabulary):
        for word in words(tag):
            having.setdefault(word, []).append(index)
    return {title: {index for word in words(title) for index in having.get(word, ())} for title in titles}
