"""Open Clip Art 0.18: public domain drawings with metadata inside each SVG."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from drawing import Drawing, Vector
from packages import Package
from wording import tag_texts

from manyview.corpus import Text
from manyview.corpus.fingerprint import normalized_text
from sources.openclipart_texts import ADDRESS, Metadata, category_of, description_of, tags_of, title_of

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
DESCRIPTION_REPEATS = 4
TITLED_IN = {"Architetto Francesco Rollandin": "it", "yves GUILLOU": "fr"}
ADULT_WORDS = {"sex", "sexy", "stripper"}
SAYS_NOTHING = re.compile(r"[\W\d_]*|\S*\d\S*")


def openclipart_drawings(folder: Path, dropped: Counter[str]) -> Iterator[Drawing]:
    """Every drawing but generated stars, logos, and what needs a font of the machine to render."""
    root = folder / FOLDER
    files = {file.relative_to(root).as_posix(): file for file in sorted(root.rglob("*.svg")) if not file.is_symlink()}
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
        tags=tuple(_text(item) for item in fields.get("subject", ()) for item in item.iter() if _local(item) == "li"),
        author=_text(fields.get("creator")),
        license="" if license_element is None else next(iter(license_element.attrib.values()), ""),
        has_lettering=any(_local(part) == "text" and _text(part) for part in root.iter()),
    )


def _local(element: ElementTree.Element) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""


def _text(element: ElementTree.Element | None) -> str:
    return "" if element is None else " ".join("".join(element.itertext()).split())
