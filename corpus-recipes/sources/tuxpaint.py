"""Tux Paint's stamps: photographs and drawings, each with a sentence in English and up to 77 other languages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from drawing import Drawing, Sprite, Vector
from packages import Package
from PIL import Image

from manyview.corpus import Text

PACKAGE = Package(
    "debian",
    "tuxpaint-stamps-default",
    "2022.06.04-1",
    "6db6c1bfc870a47f1499d6203b083522eacb57c5f9c87d468f2e92eb6d9d5f34",
)
FOLDER = "usr/share/tuxpaint/stamps"
LICENSE = "GPL-2.0-only"
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
        texts = [Text("caption", sentence, lang) for lang, sentence in said.items()]
        yield Drawing(
            id=f"tuxpaint/{name}",
            group=f"tuxpaint/{said['en'].casefold()}",
            picture=picture,
            texts=(*texts, Text("category", category, "en")),
            source="tuxpaint",
            license=LICENSE,
            attribution="the Tux Paint developers",
        )


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
