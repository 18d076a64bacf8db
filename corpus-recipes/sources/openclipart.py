"""Open Clip Art 0.18: public domain drawings with metadata inside each SVG."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from drawing import Drawing, Vector
from packages import Package
from wording import distinct, sentence, spoken, tag_texts

from manyview.corpus import Text
from manyview.corpus.fingerprint import normalized_text

OPENCLIPART = Package(
    "debian",
    "openclipart-svg",
    "1:0.18+dfsg-19",
    "989712d90d57dfa3230049f553bb43b76c30ee4d4b8c5f6e106e33f7db5cbdc5",
)
FOLDER = "usr/share/openclipart/svg"
LICENSE = "CC-PDDC"

GENERATED = "shapes/stars"
TRADEMARKS = re.compile(r"logos/|computer/icons/.*\b(apps|applications)/")
COLLECTION_REPEATS = 4
DESCRIPTION_REPEATS = 4
GENERIC_TAGS = {
    *("hash", "unsorted", "special", "clip art", "clipart", "image", "images", "various", "miscellany"),
    *(
        "misc",
        "svg",
        "other",
        "openclipart",
        "open clip art",
        "stock",
        "lemon theme icon",
        "signs and symbols",
    ),
    *("icon", "icons", "appicon", "theme", "mime types", "mimetypes", "en"),
}
COLLECTION = re.compile(
    r"^(part of |clip ?art by |various |r16 )|collection|theme$|icon-?set$|symbol.signs$|illustration$",
    re.IGNORECASE,
)
COLLECTION_PREFIX = re.compile(
    r"^(aiga|gnome mime|gnome|stock|uk|etiquette|clip ?art)\s+(?=\w{3})", re.IGNORECASE
)
COLLECTION_SUFFIX = re.compile(r"\s+- (rpg map elements|body part|clothing)$|\s*#\d+$", re.IGNORECASE)
ADDRESS = re.compile(r"\(?(e-?mail:?\s*)?\S+@\S+|\S*(?:https?://|www\.)\S+", re.IGNORECASE)
TITLED_IN = {"Architetto Francesco Rollandin": "it", "yves GUILLOU": "fr"}
MEMORY_ADDRESS = re.compile(r"\bhash\b|0x[0-9a-f]+", re.IGNORECASE)
TOOL_CREDIT = re.compile(r"^(made|created|done|drawn) (with|in|using) \w+\W*$", re.IGNORECASE)
ADULT_WORDS = {"sex", "sexy", "stripper"}
SAYS_NOTHING = re.compile(r"[\W\d_]*|\S*\d\S*", re.IGNORECASE)
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


def openclipart_drawings(folder: Path, dropped: Counter[str]) -> Iterator[Drawing]:
    """Every drawing but generated stars, logos, and what needs a font of the machine to render."""
    root = folder / FOLDER
    files = {
        file.relative_to(root).as_posix(): file
        for file in sorted(root.rglob("*.svg"))
        if not file.is_symlink()
    }
    known: dict[str, Metadata] = {}
    for path, file in files.items():
        metadata = None if unwanted_path(path) else read_metadata(file.read_bytes())
        if reason := unwanted_path(path) or unwanted_content(metadata):
            dropped[reason] += 1
        elif metadata is not None:
            known[path] = metadata
    for drawing in _drawings(files, known):
        if SAYS_NOTHING.fullmatch(drawing.titles[0]):
            dropped["no title"] += 1
        else:
            yield drawing


def _drawings(files: dict[str, Path], known: dict[str, Metadata]) -> Iterator[Drawing]:
    titles = Counter(normalized_text(metadata.title) for metadata in known.values())
    descriptions = Counter(normalized_text(metadata.description) for metadata in known.values())
    for path, metadata in known.items():
        title = title_of(path, metadata, titles[normalized_text(metadata.title)])
        repeated = descriptions[normalized_text(metadata.description)] >= DESCRIPTION_REPEATS
        lang = TITLED_IN.get(metadata.author, "en")
        texts = [
            Text("title", title, lang),
            *tag_texts(tags_of(metadata, title), "en"),
            *([] if repeated else description_of(metadata, title, lang)),
            Text("category", category_of(path), "en"),
        ]
        stem = path.removesuffix(".svg")
        yield Drawing(
            id=f"openclipart/{stem}",
            group=f"openclipart/{stem}",
            picture=Vector(files[path].read_bytes(), trim=True),
            texts=tuple(text for text in texts if text.text),
            source="openclipart",
            license=LICENSE,
            attribution=ADDRESS.sub("", metadata.author).strip(" []") or "Open Clip Art Library",
        )


def unwanted_path(path: str) -> str | None:
    """The reason to leave out a whole folder, None to keep the file."""
    if path.startswith(GENERATED + "/"):
        return "generated star"
    return "trademark" if TRADEMARKS.match(path) else None


def unwanted_content(metadata: Metadata | None) -> str | None:
    """The reason to leave out a file for what it contains or says."""
    if metadata is None:
        return "unreadable svg"
    if metadata.has_lettering:
        return "needs a font"
    if metadata.license and "publicdomain" not in metadata.license.casefold():
        return "not public domain"
    said = normalized_text(" ".join([metadata.title, *metadata.tags]))
    return "adult" if ADULT_WORDS & set(said.split()) else None


def read_metadata(svg: bytes) -> Metadata | None:
    """What an SVG says about itself; None when it is no XML."""
    try:
        root = ElementTree.fromstring(svg)
    except ElementTree.ParseError:
        return None
    fields: dict[str, ElementTree.Element] = {}
    for element in next((part for part in root.iter() if _local(part) == "Work"), []):
        fields.setdefault(_local(element), element)
    license_element = fields.get("license")
    return Metadata(
        title=_text(fields.get("title")),
        description=_text(fields.get("description")),
        tags=tuple(
            _text(item) for item in fields.get("subject", ()) for item in item.iter() if _local(item) == "li"
        ),
        author=_text(fields.get("creator")),
        license="" if license_element is None else next(iter(license_element.attrib.values()), ""),
        has_lettering=any(_local(part) == "text" and _text(part) for part in root.iter()),
    )


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


def _local(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _text(element: ElementTree.Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())
