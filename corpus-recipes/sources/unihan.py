"""Unihan: what the characters of everyday Chinese mean, in English words."""

from __future__ import annotations

import bz2
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from packages import Package
from wording import distinct, tag_texts

from manyview.corpus import Record, Text

PACKAGE = Package(
    "debian", "unicode-data", "15.0.0-1", "5efef23bbb1c6a133ecbdd63a2cfa07159ccacf5466a49e2426101c5ecd691fc"
)
FILE = "usr/share/unicode/Unihan_Readings.txt.bz2"
SOURCE = "unihan"
LICENSE = "Unicode-DFS-2015"
ATTRIBUTION = "Unicode, Inc., Unihan database"
MEANING, USED = "kDefinition", "kHanyuPinlu"
MOST_TAGS = 8
REMARK = re.compile(r"\([^)]*\)|\[[^]]*\]")
FIRST_WORD = re.compile(r"^(?:to|a|an|the|be|type of|kind of) ")
GRAMMAR = re.compile(
    r"radical|variant|same as|surname|adjunct|particle|prefix|suffix|interjection|phonetic|stem\b|\bU\+|\bnon-classical"
)


def unihan_rows(folder: Path, dropped: Counter[str]) -> Iterator[Record]:
    """A record for each character that the frequency dictionary of modern Chinese lists and Unihan defines."""
    meanings: dict[str, str] = {}
    used: set[str] = set()
    with bz2.open(folder / FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("U+"):
                code, field, value = line.rstrip("\n").split("\t")
                if field == MEANING:
                    meanings[code] = value
                elif field == USED:
                    used.add(code)
    for code in sorted(meanings):
        tags = english_words(meanings[code])
        if code not in used:
            dropped["character of rare or older texts"] += 1
        elif not tags:
            dropped["no meaning of its own"] += 1
        else:
            yield _record(code, tags)


def english_words(meaning: str) -> list[str]:
    """`eat, dine; a meal (formal)` -> eat, dine, meal."""
    parts = (" ".join(REMARK.sub(" ", part).split()) for part in re.split(r"[;,]", meaning))
    words = (FIRST_WORD.sub("", part.strip(" .?!").casefold()) for part in parts if not GRAMMAR.search(part))
    return distinct(word for word in words if len(word) > 1)[:MOST_TAGS]


def _record(code: str, tags: list[str]) -> Record:
    return Record(
        id=f"{SOURCE}/{code}",
        group=f"{SOURCE}/{code}",
        image=None,
        texts=(Text("title", chr(int(code[2:], 16)), "zh"), *tag_texts(tags, "en")),
        source=SOURCE,
        license=LICENSE,
        attribution=ATTRIBUTION,
    )
