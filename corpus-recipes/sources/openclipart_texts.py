"""What Open Clip Art says about a drawing: titles, tags and descriptions worth keeping."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from wording import distinct, sentence, spoken

from manyview.corpus import Text
from manyview.corpus.fingerprint import normalized_text

COLLECTION_REPEATS = 4
GENERIC_TAGS = {
    *("hash", "unsorted", "special", "clip art", "clipart", "image", "images", "various", "miscellany"),
    *("misc", "svg", "other", "openclipart", "open clip art", "stock", "lemon theme icon"),
    *("signs and symbols", "icon", "icons", "appicon", "theme", "mime types", "mimetypes", "en"),
}
COLLECTION = re.compile(
    r"^(part of |clip ?art by |various |r16 )|collection|theme$|icon-?set$|symbol.signs$|illustration$",
    re.IGNORECASE,
)
COLLECTION_PREFIX = re.compile(r"^(aiga|gnome mime|gnome|stock|uk|etiquette|clip ?art)\s+(?=\w{3})", re.IGNORECASE)
COLLECTION_SUFFIX = re.compile(r"\s+- (rpg map elements|body part|clothing)$|\s*#\d+$", re.IGNORECASE)
ADDRESS = re.compile(r"\(?(e-?mail:?\s*)?\S+@\S+|\S*(?:https?://|www\.)\S+", re.IGNORECASE)
MEMORY_ADDRESS = re.compile(r"\bhash\b|0x[0-9a-f]+", re.IGNORECASE)
TOOL_CREDIT = re.compile(r"^(made|created|done|drawn) (with|in|using) \w+\W*$", re.IGNORECASE)
CATALOG_NUMBER = re.compile(r"^(0\d+|\d{3})\s+|\s+openclipart$|\s+(md )?v[\d.]+$")
MAX_TAG_LETTERS = 24
MARKS_OF_REVISION = re.compile(r"(_\d+|_r|_)+$")
SUITS = {"c": "clubs", "d": "diamonds", "h": "hearts", "s": "spades"}
RANKS = {"a": "ace", "j": "jack", "q": "queen", "k": "king"}
CARD = re.compile(r"(bordered|ornamental|simple|white)_([cdhs])_(\d+|[ajqk])")


@dataclass(frozen=True)
class Metadata:
    """The Dublin Core block of one file, as written there."""

    title: str
    description: str
    tags: tuple[str, ...]
    author: str
    license: str
    has_lettering: bool


def title_of(path: str, metadata: Metadata, repeats: int) -> str:
    """The title as given, unless it names a collection: then the words of the file name."""
    stem = path.rsplit("/", 1)[-1].removesuffix(".svg")
    if card := CARD.fullmatch(stem):
        return f"{RANKS.get(card[3], card[3])} of {SUITS[card[2]]}"
    from_file = COLLECTION_PREFIX.sub("", _uncataloged(spoken(_without_author(stem, metadata.author))))
    given = _uncataloged(spoken(COLLECTION_SUFFIX.sub("", ADDRESS.sub("", metadata.title))))
    shares_a_word = set(normalized_text(given).split()) & set(normalized_text(from_file).split())
    is_collection = COLLECTION.search(metadata.title) or (repeats >= COLLECTION_REPEATS and not shares_a_word)
    title = from_file if is_collection or not given else given
    is_a_code = len(title) <= 2 and stem[-1].isdigit()
    return spoken(path.split("/")[-2]) if is_a_code and "/" in path else title


def tags_of(metadata: Metadata, title: str) -> list[str]:
    """Subject words, without generic ones and without the author."""
    author = set(normalized_text(metadata.author).split())
    single = [tag for several in metadata.tags for tag in re.split("[,;]", several)]
    spoken_tags = [spoken(ADDRESS.sub("", tag)).casefold() for tag in single]
    return [
        tag
        for tag in distinct(spoken_tags, but_not=[title])
        if tag not in GENERIC_TAGS
        and not tag.isdigit()
        and max(map(len, tag.split())) <= MAX_TAG_LETTERS
        and not MEMORY_ADDRESS.search(tag)
        and not set(tag.split()) <= author
    ]


def description_of(metadata: Metadata, title: str, lang: str) -> Sequence[Text]:
    """The description, when it says more than the title."""
    said = sentence(ADDRESS.sub("", metadata.description)).strip(" -,;")
    if MEMORY_ADDRESS.search(said) or TOOL_CREDIT.match(said) or ".svg" in said:
        return []
    new = distinct([said], but_not=[title, metadata.author])
    return [Text("description", text, lang) for text in new if len(text) > 2]


def category_of(path: str) -> str:
    """`recreation/games/cards/x.svg` -> `recreation, games, cards`; nothing for `unsorted`."""
    parts = [spoken(part) for part in path.split("/")[:-1]]
    return ", ".join(part for part in parts if part not in GENERIC_TAGS)


def _uncataloged(name: str) -> str:
    """Without numbers that count the drawings of a series."""
    before = ""
    while before != name:
        before, name = name, CATALOG_NUMBER.sub("", name)
    return name


def _without_author(stem: str, author: str) -> str:
    """File names end in the start of the author's name: `wolf_nicu_bucul_01` -> `wolf`."""
    parts = MARKS_OF_REVISION.sub("", stem).split("_")
    name = re.sub(r"[^a-z0-9.]+", "_", ADDRESS.sub("", author).casefold()).strip("_")
    for start in range(1, len(parts)):
        tail = "_".join(parts[start:]).casefold()
        if tail and name.startswith(tail):
            return "_".join(parts[:start])
    return "_".join(parts)
