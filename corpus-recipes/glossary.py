"""A glossary: records without a picture, which tie words to words. What ships, or with --all everything.

python corpus-recipes/glossary.py --out DIR [--cache DIR] [--all]

English from WordNet's nouns, verbs and adjectives, Chinese characters from Unihan. These files are all that is read:
no text of another corpus takes part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from describe import packages_about, texts_about
from packages import unpacked
from run import finish, parser
from sources import unihan, wordnet
from sources.wordnet_rows import wordnet_rows

from manyview.corpus import Record, write_corpus

SEED = 0
MAX_SHARD_BYTES = 80 << 20
ROW_GROUP_BYTES = 32 << 20  # short texts compress better in larger pieces
TITLE = {True: "The glossary", False: "The whole glossary"}


def build(out: Path, cache: Path, common: bool) -> None:
    """Fetch, read, write."""
    dropped: dict[str, Counter[str]] = {"wordnet": Counter(), "unihan": Counter()}
    words = wordnet.read_wordnet(unpacked(wordnet.PACKAGE, cache))
    records = [
        *wordnet_rows(words, dropped["wordnet"], common),
        *unihan.unihan_rows(unpacked(unihan.PACKAGE, cache), dropped["unihan"]),
    ]
    about = glossary_about(records, dropped)
    write_corpus(
        out,
        {"train": records},
        name="glossary",
        seed=SEED,
        max_shard_bytes=MAX_SHARD_BYTES,
        row_group_bytes=ROW_GROUP_BYTES,
        about=about,
    )
    (out / "README.md").write_text(glossary_readme(TITLE[common], about), encoding="utf-8")


def glossary_about(records: Sequence[Record], dropped: dict[str, Counter[str]]) -> dict[str, Any]:
    """Counts by source, packages and what was left out."""
    return {
        "records": len(records),
        "sources": {
            source: texts_about([record for record in records if record.source == source]) for source in dropped
        },
        "packages": packages_about([wordnet.PACKAGE, unihan.PACKAGE]),
        "dropped": {source: dict(sorted(reasons.items())) for source, reasons in dropped.items()},
    }


def glossary_readme(title: str, about: dict[str, Any]) -> str:
    """A short text for people who open the folder."""
    lines = [
        f"# {title}",
        "",
        f"{about['records']:,} records without a picture: words, what they are tied to, what they mean. Training mixes "
        "them",
        "with pictures, so that abstract and rare words find their place. Written by `corpus-recipes/glossary.py`: do "
        "not edit.",
        "",
        "| source | records | titles | tags | descriptions | license |",
        "|---|---|---|---|---|---|",
    ]
    for name, source in about["sources"].items():
        texts = source["texts"]
        lines.append(
            f"| {name} | {source['records']:,} | {texts['title']:,} | {texts['tags']:,} "
            f"| {texts.get('description', 0):,} | {', '.join(source['licenses'])} |"
        )
    lines += [
        "",
        "wordnet: a synset of WordNet 3.0 a record, with its words as titles, related words and the words of its gloss",
        "as tags, the gloss as description. unihan: a Chinese character a record, with its English meanings as tags.",
        "Both were selected and changed. License texts stand in `NOTICE`; what was left out is counted, by reason, in",
        "`manifest.json`.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    options = parser(__doc__)
    options.add_argument("--all", action="store_true", help="all of WordNet, not only what ships")
    arguments = options.parse_args()
    raise SystemExit(finish(lambda: build(arguments.out, arguments.cache.resolve(), not arguments.all)))
