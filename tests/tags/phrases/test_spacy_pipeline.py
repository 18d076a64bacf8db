"""Laws of spaCy pipelines as readers, on one that is taught a few sentences here."""

from pathlib import Path

import pytest

from manyview.errors import UsageError
from manyview.tags.phrases.spacy_pipeline import spacy_reader

SENTENCES = [  # words, tags, parts of speech, heads, relations
    (
        ["The", "red", "car", "hits", "a", "big", "tree"],
        ["DET", "ADJ", "NOUN", "VERB", "DET", "ADJ", "NOUN"],
        [2, 2, 3, 3, 6, 6, 3],
        ["det", "amod", "nsubj", "ROOT", "det", "amod", "dobj"],
    ),
    (
        ["She", "sees", "two", "small", "dogs"],
        ["PRON", "VERB", "NUM", "ADJ", "NOUN"],
        [1, 1, 4, 4, 1],
        ["nsubj", "ROOT", "nummod", "amod", "dobj"],
    ),
]


def taught(folder: Path, *pipes: str) -> Path:
    """A pipeline of spaCy that knows the sentences by heart."""
    import spacy
    from spacy.tokens import Doc
    from spacy.training import Example

    spacy.util.fix_random_seed(0)
    nlp = spacy.blank("en")
    for pipe in pipes:
        nlp.add_pipe(pipe, config={"min_action_freq": 1} if pipe == "parser" else {})
    examples = []
    for words, parts, heads, relations in SENTENCES:
        known = Doc(
            nlp.vocab,
            words=words,
            pos=parts,
            tags=parts,
            morphs=[f"POS={of}" for of in parts],
            heads=heads,
            deps=relations,
        )
        examples.append(Example(Doc(nlp.vocab, words=words), known))
    optimizer = nlp.initialize(lambda: examples)
    for _ in range(25):
        nlp.update(examples, sgd=optimizer, drop=0.0)
    nlp.to_disk(folder)
    return folder


def read(folder: Path) -> list[list[str]]:
    texts = [" ".join(words) for words, _, _, _ in SENTENCES]
    return [[" ".join(words) for words in found] for found in spacy_reader(str(folder))(texts)]


@pytest.mark.parametrize(
    "pipes", [pytest.param(("morphologizer", "parser"), marks=pytest.mark.slow), ("morphologizer",)]
)
def test_phrases_are_nouns_with_what_describes_them(tmp_path: Path, pipes: tuple[str, ...]) -> None:
    assert read(taught(tmp_path / "en", *pipes)) == [["red car", "big tree"], ["small dogs"]]


def test_a_pipeline_that_tells_no_parts_of_speech_is_said(tmp_path: Path) -> None:
    import spacy

    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(UsageError, match="neither parses nor tells parts of speech"):
        spacy_reader(str(tmp_path / "blank"))(["a red car"])


def test_a_pipeline_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="spaCy cannot load no_such_pipeline"):
        spacy_reader("no_such_pipeline")
