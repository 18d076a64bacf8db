"""Record tasks: one kind of text asks, and records answer with their picture and their texts of all other kinds.

A task comes in two forms. In the first every text of the asking kind is a query. In the second, NEW WORDS, queries have
no word in common with what the right records say:

1. A record says the words of all its texts of other kinds, in every language. Two texts have a word in common as
   `Wording.shares_a_word` defines it: an equal word (case folded, without plural s); of Chinese and Japanese an equal
   pair of neighboring characters, or a character that stands alone in one of them.
2. Of a list kind (tags) a record asks with those entries that have no word in common with what it says; of other kinds
   with each text as it is.
3. Right for a query are all records that carry it, whole or after this leaving out. A query that has a word in common
   with any of them is left out.

In both forms a query is left out when its right records say nothing else: there, only pictures could answer.
Queries do not depend on the model, so that any two models can be compared over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from manyview.corpus import Text
from manyview.corpus.fingerprint import text_identity
from manyview.evaluate.galleries import Gallery, Task, build_galleries
from manyview.evaluate.items import Item
from manyview.evaluate.queries import DEFAULT_LANG, LISTS, QueryKind, query_texts, texts_of
from manyview.evaluate.relation import Relation
from manyview.evaluate.words import Wording, wording

NEW_WORDS = ", new words"


def record_tasks(
    items: Sequence[Item],
    kinds: Sequence[QueryKind],
    *,
    answer_kinds: Sequence[str] | None = None,
    default_lang: str = DEFAULT_LANG,
    max_gallery: int | None = None,
    seed: int = 0,
) -> list[Task]:
    """Both forms of every task that has queries, by source and asking kind; kinds of several parts ask nothing here.

    The kind of the second form is named "KIND, new words". A gallery has one record a concept, as in picture
    galleries (the first `max_gallery` of them in hashed order), of those that have more than texts of the asking kind.
    `answer_kinds`: the only kinds of text that records answer with, beside the picture; by default all.
    """
    tasks: list[Task] = []
    for gallery in build_galleries(items, default_lang=default_lang, every_image=False, without_image=True, seed=seed):
        answers: dict[str, list[_Answer]] = {}
        for kind in kinds:
            if len(kind.parts) > 1:
                continue
            part = kind.parts[0]
            if part not in answers:
                members = gallery.images[:max_gallery].tolist()
                candidates = [
                    _Answer(index, items[index], part, tuple(other_texts(items[index].texts, part, answer_kinds)))
                    for index in members
                ]
                answers[part] = [answer for answer in candidates if answer.item.has_image or answer.others]
            tasks += _both_forms(gallery.name, answers[part], kind, default_lang)
    return [task for task in tasks if task.texts]


@dataclass(frozen=True)
class _Answer:
    """A record of a gallery that answers with its picture and its texts of other kinds than `asking`."""

    index: int
    item: Item
    asking: str
    others: tuple[Text, ...]

    @cached_property
    def says(self) -> Wording:
        return wording(text.text for text in self.others)

    def new_queries(self, kind: QueryKind, default_lang: str) -> tuple[str, ...]:
        """What it asks with when it may not use its own words."""
        if self.asking not in LISTS:
            return query_texts(self.item.texts, kind, default_lang)
        entries = texts_of(self.item.texts, self.asking, kind.lang, default_lang)
        left = [entry for entry in entries if not wording([entry]).shares_a_word(self.says)]
        return (", ".join(left),) if left else ()


def other_texts(texts: Iterable[Text], asking: str, answer_kinds: Sequence[str] | None = None) -> list[Text]:
    """What a record says beside its texts of one kind, in any language; `answer_kinds` are all kinds by default."""
    others = (text for text in texts if text.kind != asking and text.text.strip())
    return [text for text in others if answer_kinds is None or text.kind in answer_kinds]


def _both_forms(source: str, answers: Sequence[_Answer], kind: QueryKind, default_lang: str) -> tuple[Task, Task]:
    whole = [query_texts(answer.item.texts, kind, default_lang) for answer in answers]
    new = [answer.new_queries(kind, default_lang) for answer in answers]

    def says_more(text: str, right: Sequence[int]) -> bool:
        return any(answers[position].others for position in right)

    def is_new(text: str, right: Sequence[int]) -> bool:
        query = wording([text])
        return says_more(text, right) and not any(query.shares_a_word(answers[position].says) for position in right)

    gallery = Gallery(source, np.array([answer.index for answer in answers], dtype=np.int64))
    both = [dict.fromkeys((*a, *b)) for a, b in zip(whole, new, strict=True)]
    return (
        _task(gallery, kind, whole, whole, says_more),
        _task(gallery, replace(kind, name=kind.name + NEW_WORDS), new, both, is_new),
    )


def _task(
    gallery: Gallery,
    kind: QueryKind,
    queries: Sequence[Iterable[str]],
    carried: Sequence[Iterable[str]],
    counts: Callable[[str, Sequence[int]], bool],
) -> Task:
    """The distinct texts that positions of the gallery ask with; right are all positions that carry them."""
    wordings: dict[int, str] = {}
    for texts in queries:
        for text in texts:
            wordings.setdefault(text_identity(text), text)
    right: dict[int, list[int]] = {key: [] for key in wordings}
    for position, texts in enumerate(carried):
        for key in {text_identity(text) for text in texts} & right.keys():
            right[key].append(position)
    query_keys = [key for key, text in wordings.items() if counts(text, right[key])]
    return Task(
        gallery=gallery,
        kind=kind,
        texts=tuple(wordings[key] for key in query_keys),
        truths=Relation.from_rows([right[key] for key in query_keys]),
        groups=np.arange(len(gallery.images), dtype=np.int64),
        text_groups=np.array([right[key][0] for key in query_keys], dtype=np.int64),
    )
