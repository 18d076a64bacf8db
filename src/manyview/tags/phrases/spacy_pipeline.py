"""spaCy phrases: noun chunks where a pipeline parses, else adjectives and nouns side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from manyview.errors import UsageError
from manyview.tags.phrases.reader import Reader, Words
from manyview.tags.taggers.runtime import needs

__all__ = ["spacy_reader"]

_EMPTY = ("DET", "PRON", "NUM", "PUNCT", "SPACE", "ADP", "PART", "CCONJ", "SYM")
_NOUNS = ("NOUN", "PROPN")
_UNNEEDED = ["ner", "textcat", "textcat_multilabel", "entity_linker", "lemmatizer"]


def spacy_reader(pipeline: str) -> Reader:
    """What reads texts with a pipeline, by its installed name or folder. Raises UsageError."""
    needs("of spaCy phrases", "spacy")
    import spacy  # noqa: PLC0415  seconds to import

    try:
        nlp = spacy.load(pipeline, exclude=_UNNEEDED)
    except (OSError, ValueError) as error:
        raise UsageError(f"spaCy cannot load {pipeline}: {' '.join(str(error).split())[:200]}") from None
    return lambda texts: [list(_phrases(document, pipeline)) for document in nlp.pipe(texts)]


def _phrases(document: Any, pipeline: str) -> Iterator[Words]:
    if document.has_annotation("DEP") and document.noun_chunks_iterator is not None:
        for chunk in document.noun_chunks:
            if words := tuple(token.text for token in chunk if token.pos_ not in _EMPTY):
                yield words
    elif document.has_annotation("POS"):
        yield from _side_by_side(document)
    elif len(document):
        raise UsageError(f"the spaCy pipeline {pipeline} neither parses nor tells parts of speech: it finds no phrases")


def _side_by_side(document: Any) -> Iterator[Words]:
    for named, tokens in groupby(document, key=lambda token: token.pos_ in (*_NOUNS, "ADJ")):
        run = list(tokens)
        while run and run[-1].pos_ not in _NOUNS:
            run.pop()
        if named and run:
            yield tuple(token.text for token in run)
