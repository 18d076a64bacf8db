"""What a glossary knows of held-out records: which of their words it has, and which of their pairs it states.

    python benchmarks/glossary_knowledge.py [--corpus starter] [--split test] [--glossary glossary FOLDER ...] [--json]

English. A title's word counts once. A pair is a title and one of its tags that shares no word with it; a glossary
states it where one row has the title and the tag among its titles and tags, in either order, word for word. The
training split is told by the same rule: what it states needs no glossary.
"""

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass

from page import show

from manyview.corpus import Corpus, Record
from manyview.corpus.fingerprint import normalized_text
from manyview.model.ngrams import words_of


@dataclass(frozen=True)
class Knowledge:
    """Of one source: its words and pairs, and how many of them some texts have."""

    source: str
    texts: str
    words: int
    known_words: int
    unseen_words: int
    known_unseen_words: int
    pairs: int
    stated_pairs: int
    titles: int
    known_titles: int


def main() -> None:
    """A row for each source and glossary."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", default="starter")
    parser.add_argument("--split", default="test")
    parser.add_argument("--glossary", nargs="+", default=["glossary"])
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    rows = list(knowledge(given.corpus, given.split, given.glossary))
    if given.json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    columns = ["held out", "texts", "title words", "of those not in training", "whole titles", "pairs stated"]
    show(
        "glossary", f"what is known of the {given.split} split of {given.corpus}", columns, map(line, rows), write=False
    )


def line(row: Knowledge) -> list[str]:
    """A row of the table."""
    return [
        row.source,
        row.texts,
        f"{row.known_words} of {row.words}",
        f"{row.known_unseen_words} of {row.unseen_words}",
        f"{row.known_titles} of {row.titles}",
        f"{row.stated_pairs} of {row.pairs} ({row.stated_pairs / max(1, row.pairs):.1%})",
    ]


def knowledge(corpus: str, split: str, glossaries: Sequence[str]) -> Iterator[Knowledge]:
    """What the training split and each glossary know of each source's held-out records."""
    opened = Corpus.open(corpus)
    training = list(opened.records("train"))
    known = {"training split": training} | {name: list(Corpus.open(name).records("train")) for name in glossaries}
    held_out = list(opened.records(split))
    seen = words(text for record in training for text in texts(record))
    for source in sorted({record.source for record in held_out}):
        own = [record for record in held_out if record.source == source]
        for name, records in known.items():
            yield measured(source, own, seen, name, records)


def measured(source: str, own: Sequence[Record], seen: set[str], name: str, records: Sequence[Record]) -> Knowledge:
    """Counts of one source and one set of texts."""
    titles = {title for record in own for title in texts(record, "title")}
    pairs = {(title, tag) for record in own for title in texts(record, "title") for tag in other_words(record, title)}
    title_words = words(titles)
    rows = [frozenset(texts(record)) for record in records]
    by_text: dict[str, list[frozenset[str]]] = {}
    for row in rows:
        for text in row:
            by_text.setdefault(text, []).append(row)
    known = words(by_text)
    return Knowledge(
        source=source,
        texts=name,
        words=len(title_words),
        known_words=len(title_words & known),
        unseen_words=len(title_words - seen),
        known_unseen_words=len((title_words - seen) & known),
        pairs=len(pairs),
        stated_pairs=sum(any(tag in row for row in by_text.get(title, ())) for title, tag in pairs),
        titles=len(titles),
        known_titles=len(titles & by_text.keys()),
    )


def texts(record: Record, *kinds: str) -> list[str]:
    """English titles and tags of a record, or texts of other kinds, in one spelling."""
    wanted = kinds or ("title", "tags")
    return [normalized_text(text.text) for text in record.texts if text.kind in wanted and text.lang in ("en", "")]


def other_words(record: Record, title: str) -> list[str]:
    """Tags without a word of the title."""
    return [tag for tag in texts(record, "tags") if not words([tag]) & words([title])]


def words(lines: Iterable[str]) -> set[str]:
    """All words of some texts."""
    return {word for text in lines for word in words_of(text)}


if __name__ == "__main__":
    main()
