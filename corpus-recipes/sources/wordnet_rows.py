"""Rows of a glossary: each synset of WordNet as a record without a picture."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from wording import distinct, tag_texts

from manyview.corpus import Record, Text
from sources.wordnet import Synset, WordNet

SOURCE = "wordnet"
LICENSE = "LicenseRef-WordNet-3.0"
ATTRIBUTION = "Princeton University, WordNet 3.0"
MOST_BELOW = 10_500  # artifact has more synsets below it, person has fewer
FIRST_LEVELS = 6
TAXA = "n07992450"  # taxonomic group: Latin names
COUNTRY = "n08544813"
DRAWN = {5, 6, 8, 11, 12, 13, 17, 18, 19, 20, 25}  # animals, things made, the body, events, feelings, food, ..., shapes
MOST_TAGS = 18
LEAST_SHARE = 0.1
WORD = re.compile(r"[a-z]{3,}")
EXAMPLE = re.compile(r'\s*[;:,]?\s*"')
# The commonest words of glosses that say how, not what. Words that WordNet has no entry for (of, with, which) are left
# out already.
STOP_WORDS = """
about act after all also another any are area based be bearing become before being belong can capable
cause certain characteristic characterize common commonly condition consist contain degree denote
different down during each either especially etc except find first form full general genus give have
having he her his include instance into involve it its kind lack less like made make manner many mark
marked may mean means member more most much name native near new non not number occur off often one only
order other out over part particular parts person pertain place plural point process produce property
provide put quality relate relating resemble resembling result same serve set several show showing
similar single small so some someone something sort state such take thing things three through time
together two type typical typically under unit use used using usual usually various very was way well
where who widely will work yield
"""


def wordnet_rows(wordnet: WordNet, dropped: Counter[str], common: bool) -> Iterator[Record]:
    """One record a synset: lemmas are titles, what it is tied to are tags, the gloss is the description.

    Verbs and adjectives too: people ask for "happy" and "something to drink". With `common`, only what pictures and
    searches are about: see `is_common`; and countries, for their flags.
    """
    abstract = {key for key, count in _counts_below(wordnet).items() if count > MOST_BELOW}
    taxa, countries = synsets_below(wordnet, TAXA), synsets_below(wordnet, COUNTRY)
    for synset in wordnet.synsets.values():
        tags = [] if synset.key in abstract else _tags(wordnet, synset, abstract)
        reason = _reason_to_drop(synset, tags, taxa)
        if not reason and common and not is_common(synset) and synset.key not in countries:
            reason = "not common"
        if reason:
            dropped[reason] += 1
        else:
            yield _record(synset, tags)


def is_common(synset: Synset) -> bool:
    """Whether it was met in WordNet's tagged texts, or is a kind of thing that people draw, under an everyday name.

    A meaning that has less than a tenth of the uses of each of its words is not common.
    """
    words = [*zip(synset.lemmas, synset.uses, synset.shares, strict=True)]
    if synset.topic in DRAWN and not synset.related("@i"):
        return any(share >= LEAST_SHARE and lemma.islower() and lemma.count(" ") < 2 for lemma, _, share in words)
    return any(uses and share >= LEAST_SHARE for _, uses, share in words)


def _reason_to_drop(synset: Synset, tags: list[str], taxa: set[str]) -> str:
    if synset.key[0] == "r":
        return "adverb"
    if synset.key in taxa:
        return "name of a genus, a family or an order"
    return "" if tags else "tied to nothing"


def _record(synset: Synset, tags: list[str]) -> Record:
    """A title weighs as much as this meaning has of its word's uses: "drink" is seldom drawn where it means the sea."""
    titles = [Text("title", lemma, "en", share) for lemma, share in zip(synset.lemmas, synset.shares, strict=True)]
    gloss = definition(synset)
    return Record(
        id=f"{SOURCE}/{synset.key}",
        group=f"{SOURCE}/{synset.key}",
        image=None,
        texts=(*titles, *tag_texts(tags, "en"), *([Text("description", gloss, "en")] if gloss else [])),
        source=SOURCE,
        license=LICENSE,
        attribution=ATTRIBUTION,
    )


def definition(synset: Synset) -> str:
    """The first part of the gloss, without examples."""
    return EXAMPLE.split(synset.gloss, 1)[0].split(";")[0].strip()


def _tags(wordnet: WordNet, synset: Synset, abstract: set[str]) -> list[str]:
    """The closest first: synonyms, what it is, what is one, its parts and wholes, words of its family, its gloss."""

    def lemmas(keys: list[str], most: int) -> list[str]:
        return [lemma for key in keys if key not in abstract for lemma in wordnet.synsets[key].lemmas[:most]]

    above = synset.related("@", "@i")
    higher = [key for other in above for key in wordnet.synsets[other].related("@", "@i")]
    kinds = sorted(synset.related("~", "~i"), key=lambda key: -sum(wordnet.synsets[key].uses))
    parts = synset.related("%p", "%s", "%m", "#p", "#s", "#m")
    family = synset.related("+", "&", "=", "*", ">", "$", "^", "\\", ";c")
    stop_words = frozenset(STOP_WORDS.split())
    words = [wordnet.base_form(word) for word in WORD.findall(definition(synset).lower())]
    tags = [
        *synset.lemmas[1:4],
        *lemmas(above, 2),
        *lemmas(higher, 1),
        *lemmas(kinds[:5], 1),
        *lemmas(parts[:3], 1),
        *lemmas(family[:6], 1),
        *(word for word in words if word and word not in stop_words),
    ]
    return distinct(tags, but_not=synset.lemmas[:1])[:MOST_TAGS]


def _counts_below(wordnet: WordNet) -> dict[str, int]:
    """How many synsets are kinds of a synset, for those of WordNet's first levels."""
    level = {
        synset.key for synset in wordnet.synsets.values() if synset.key[0] == "n" and not synset.related("@", "@i")
    }
    counts = {}
    for _ in range(FIRST_LEVELS):
        counts |= {key: len(synsets_below(wordnet, key)) for key in level}
        level = {other for key in level for other in wordnet.synsets[key].related("~")} - counts.keys()
    return counts


def synsets_below(wordnet: WordNet, start: str) -> set[str]:
    """The synset and everything that is a kind or an example of it."""
    reached, todo = {start}, [start]
    while todo:
        fresh = set(wordnet.synsets[todo.pop()].related("~", "~i")) - reached
        reached |= fresh
        todo += fresh
    return reached
