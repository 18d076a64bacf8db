"""WordNet 3.0: synsets, what they are tied to, and how often their words are used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packages import Package

PACKAGE = Package(
    "debian", "wordnet-base", "1:3.0-37", "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752"
)
FOLDER = "usr/share/wordnet"
FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
SATELLITE = "s"
MARKER = re.compile(r"\((?:a|p|ip)\)$")
ENDINGS = {
    "n": (
        ("s", ""),
        ("ses", "s"),
        ("xes", "x"),
        ("zes", "z"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("men", "man"),
        ("ies", "y"),
    ),
    "v": (("s", ""), ("ies", "y"), ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", "")),
    "a": (("er", ""), ("est", ""), ("er", "e"), ("est", "e")),
}


@dataclass(frozen=True)
class Synset:
    """Words of one meaning; `pointers` names other synsets by relation, `uses` counts each lemma in this meaning."""

    key: str
    topic: int
    lemmas: tuple[str, ...]
    uses: tuple[int, ...]
    shares: tuple[float, ...]
    pointers: tuple[tuple[str, str], ...]
    gloss: str

    def related(self, *relations: str) -> list[str]:
        """Keys of the synsets that one of these pointers leads to, in WordNet's order."""
        return [key for relation, key in self.pointers if relation in relations]


@dataclass(frozen=True)
class WordNet:
    """All synsets by key, and what inflected words are forms of."""

    synsets: dict[str, Synset]
    lemmas: dict[str, set[str]]
    exceptions: dict[str, dict[str, str]]

    def base_form(self, word: str) -> str | None:
        """The lemma that a word of running text stands for, by WordNet's own rules; None for one that has none."""
        for part in ENDINGS:
            if word in self.exceptions[part]:
                return self.exceptions[part][word]
        for part, endings in ENDINGS.items():
            if word in self.lemmas[part]:
                return word
            for ending, instead in endings:
                form = word.removesuffix(ending) + instead
                if word.endswith(ending) and form in self.lemmas[part]:
                    return form
        return None


def read_wordnet(folder: Path) -> WordNet:
    """Reads the database files of the unpacked package."""
    root = folder / FOLDER
    uses = _uses(root)
    lines = {part: _lines(root / f"data.{name}") for part, name in FILES.items()}
    synsets = {synset.key: synset for part in FILES for synset in (_synset(line, part, uses) for line in lines[part])}
    lemmas = {part: {lemma for lemma, of_part, _ in uses if of_part == part} for part in FILES}
    exceptions = {part: dict(line.split()[:2] for line in _lines(root / f"{FILES[part]}.exc")) for part in ENDINGS}
    return WordNet(synsets, lemmas, exceptions)


def _lines(file: Path) -> Iterator[str]:
    """Lines of a file of WordNet, without the licence at its head."""
    with file.open(encoding="utf-8") as lines:
        yield from (line for line in lines if not line.startswith("  "))


def _uses(root: Path) -> dict[tuple[str, str, str], tuple[int, float]]:
    """For (lemma, part of speech, synset): how often it was met in WordNet's tagged texts, and which share of its
    lemma's uses (one more a meaning, for meanings that were never met) this is."""
    counted = Counter[tuple[str, str, int]]()
    parts = dict(enumerate("nvara", start=1))
    for line in _lines(root / "cntlist.rev"):
        sense, number, count = line.split()
        lemma, _, rest = sense.partition("%")
        counted[lemma, parts[int(rest[0])], int(number)] += int(count)
    uses = {}
    for part, name in FILES.items():
        for line in _lines(root / f"index.{name}"):
            lemma, _, senses, *rest = line.split()
            counts = [counted[lemma, part, number] for number in range(1, int(senses) + 1)]
            total = sum(counts) + len(counts)
            for key, count in zip(rest[-len(counts) :], counts, strict=True):
                uses[lemma, part, part + key] = count, (count + 1) / total
    return uses


def _synset(line: str, part: str, uses: dict[tuple[str, str, str], tuple[int, float]]) -> Synset:
    data, _, gloss = line.partition(" | ")
    offset, topic, _, words, *fields = data.split()
    names = [MARKER.sub("", name) for name in fields[: 2 * int(words, 16) : 2]]
    fields = fields[2 * len(names) :]
    pointers = [fields[1 + 4 * number : 4 + 4 * number] for number in range(int(fields[0]))]
    key = part + offset
    used = [uses[name.lower(), part, key] for name in names]
    return Synset(
        key=key,
        topic=int(topic),
        lemmas=tuple(name.replace("_", " ") for name in names),
        uses=tuple(count for count, _ in used),
        shares=tuple(share for _, share in used),
        pointers=tuple((relation, other.replace(SATELLITE, "a") + target) for relation, target, other in pointers),
        gloss=gloss.strip(),
    )
