"""Tux Paint's stamps: photographs and drawings, each with a sentence in English and up to 77 other languages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing, Sprite, Vector
from packages import Package
from PIL import Image
from wording import distinct, spoken, tag_texts

from manyview.corpus import Text

PACKAGE = Package(
    "debian",
    "tuxpaint-stamps-default",
    "2022.06.04-1",
    "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
)
FOLDER = "usr/share/tuxpaint/stamps"
LICENSE = "GPL-2.0-only"
NAME_WORDS = 4
ARTICLES = ("a ", "an ", "the ", "some ")
TOGETHER = {
    "arttools": "art tools",
    "masstransit": "mass transit",
    "naturalforces": "natural forces",
    "newyears": "new year",
    "roadsigns": "road signs",
}
STYLES = {"cartoon", "english", "filled", "german", "lowercase", "outlined", "symbols", "uppercase"}
LANGUAGES = {"zh_cn": "zh", "de": "de", "es": "es", "fr": "fr", "ja": "ja", "ru": "ru"}


def drawings(folder: Path, dropped: Counter[str]) -> Iterator[Drawing]:
    """Every stamp that has a sentence; the folder it lies in is its category."""
    root = folder / FOLDER
    for file in sorted(root.rglob("*.txt")):
        picture = _picture(file)
        said = _sentences(file)
        if picture is None or "en" not in said:
            dropped["no image" if picture is None else "no sentence"] += 1
            continue
        name = file.relative_to(root).with_suffix("").as_posix()
        category = " > ".join(name.split("/")[:-1])
        title = _title(said["en"], file.stem)
        texts = [Text("caption", sentence, lang) for lang, sentence in said.items()]
        texts += [Text("title", title, "en"), *tag_texts(_tags(name, title, said["en"]), "en")]
        yield Drawing(
            id=f"tuxpaint/{name}",
            group=f"tuxpaint/{said['en'].casefold()}",
            picture=picture,
            texts=(*texts, Text("category", category, "en")),
            source="tuxpaint",
            license=LICENSE,
            attribution="the Tux Paint developers",
        )


def _title(sentence: str, stem: str) -> str:
    """`A red kangaroo.` -> `red kangaroo`; what is longer than a name is told by the name of the file."""
    words = re.split(r"[.!?—]", sentence)[0].strip(" “”")
    article = next((article for article in ARTICLES if words.casefold().startswith(article)), "")
    short = words[len(article) :]
    return short if len(short.split()) <= NAME_WORDS else spoken(stem)


def _tags(name: str, title: str, sentence: str) -> list[str]:
    """The folders, closest first, then the long words of a sentence that says more than the title."""
    folders = [TOGETHER.get(part, spoken(part)) for part in reversed(name.split("/")[:-1]) if part not in STYLES]
    long_words = re.findall(r"[a-z]{5,}", sentence.casefold()) if len(sentence.split()) > NAME_WORDS else []
    return distinct([*folders, *long_words], but_not=[title, *title.split()])


def _picture(file: Path) -> Vector | Sprite | None:
    if file.with_suffix(".svg").is_file():
        return Vector(file.with_suffix(".svg").read_bytes(), trim=True)
    if not file.with_suffix(".png").is_file():
        return None
    with Image.open(file.with_suffix(".png")) as image:
        return Sprite(file.with_suffix(".png"), (0, 0, *image.size))


def _sentences(file: Path) -> dict[str, str]:
    """The first line is English, the others are `language.utf8=sentence`."""
    first, *others = file.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
    found = {"en": first.strip()} if first.strip() else {}
    for line in others:
        key, _, sentence = line.partition(".utf8=")
        if (lang := LANGUAGES.get(key.strip().casefold())) and sentence.strip():
            found[lang] = sentence.strip()
    return found
