"""Cataclysm: Dark Days Ahead: tiles of several tilesets, with names and descriptions in many languages."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drawing import Drawing, Sprite
from packages import Package
from PIL import Image
from wording import distinct, tag_texts

from manyview.corpus import Text
from manyview.corpus.fingerprint import normalized_text
from sources.cdda_objects import GameObject, clean, read_objects, read_translations

PACKAGE = Package(
    "debian",
    "cataclysm-dda-data",
    "0.F-3-9",
    "cd0c097169fe364fdb6bcdab77663d24920a063387ce2fbf1b5d3be01c141105",
)
TILESETS = (
    *("UltimateCataclysm", "MshockXotto+", "ChibiUltica", "ChestHole16Tileset"),
    *("BrownLikeBears", "Cuteclysm", "HoderTileset"),
)
FALLBACK_SHEET = "fallback"


@dataclass(frozen=True)
class Sheet:
    """A grid of sprites; `first` is the number of its first sprite in the tileset."""

    file: Path
    first: int
    columns: int
    rows: int
    width: int
    height: int

    def sprite(self, number: int) -> Sprite | None:
        """The sprite of that number in the tileset, None when it lies in another sheet."""
        row, column = divmod(number - self.first, self.columns)
        if number < self.first or row >= self.rows:
            return None
        left, top = column * self.width, row * self.height
        return Sprite(self.file, (left, top, left + self.width, top + self.height))


def cdda_drawings(folder: Path, dropped: Counter[str]) -> Iterator[Drawing]:
    """Every tile of every tileset that stands for an object with a name."""
    game = folder / "usr/share/games/cataclysm-dda"
    objects = read_objects(game / "json")
    translations = read_translations(folder / "usr/share/locale")
    texts = {key: texts_of(thing, translations) for key, thing in objects.items()}
    for tileset in TILESETS:
        drawn: set[str] = set()
        for key, sprite in read_tiles(game / "gfx" / tileset):
            thing = objects.get(key.removeprefix("vp_"))
            if thing is None:
                dropped["no object"] += 1
            elif sprite is None:
                dropped["no sprite"] += 1
            elif key not in drawn:
                drawn.add(key)
                yield Drawing(
                    id=f"cdda/{tileset}/{key}",
                    group=f"cdda/{normalized_text(thing.name)}",
                    picture=sprite,
                    texts=texts[key.removeprefix("vp_")],
                    source="cdda",
                    license="CC-BY-SA-3.0",
                    attribution=f"Cataclysm: Dark Days Ahead contributors, tileset {tileset}",
                )


def texts_of(thing: GameObject, translations: Mapping[str, Mapping[str, str]]) -> tuple[Text, ...]:
    """Title and description in each language that has them, tags and category in English."""
    said = [Text("title", clean(thing.name), "en"), *tag_texts(distinct(thing.tags, [thing.name]), "en")]
    if thing.description:
        said.append(Text("description", clean(thing.description), "en"))
    said.append(Text("category", thing.category, "en"))
    for lang, catalog in translations.items():
        for kind, english in (("title", thing.name), ("description", thing.description)):
            if english in catalog and english:
                said.append(Text(kind, clean(catalog[english]), lang))
    return tuple(said)


def read_tiles(folder: Path) -> Iterator[tuple[str, Sprite | None]]:
    """Object id and first sprite of each tile of a tileset."""
    config = json.loads((folder / "tile_config.json").read_text(encoding="utf-8"))
    sheets = _sheets(folder, config)
    for part in config["tiles-new"]:
        if part["file"].startswith(FALLBACK_SHEET):
            continue
        for tile in part.get("tiles", []):
            number = first_sprite(tile.get("fg"))
            found = None if number is None else next(filter(None, (s.sprite(number) for s in sheets)), None)
            for key in [tile["id"]] if isinstance(tile["id"], str) else tile["id"]:
                yield key, found


def first_sprite(foreground: Any) -> int | None:
    """A tile names a sprite, a list of rotations, or a list of weighted choices of either."""
    while isinstance(foreground, list | dict):
        if isinstance(foreground, dict):
            foreground = foreground.get("sprite")
        else:
            foreground = foreground[0] if foreground else None
    return foreground if isinstance(foreground, int) and foreground >= 0 else None


def _sheets(folder: Path, config: Mapping[str, Any]) -> list[Sheet]:
    """Sprites are numbered through all sheets of a tileset."""
    usual = config["tile_info"][0]
    sheets, first = [], 0
    for part in config["tiles-new"]:
        width, height = part.get("sprite_width", usual["width"]), part.get("sprite_height", usual["height"])
        with Image.open(folder / part["file"]) as image:
            columns, rows = image.width // width, image.height // height
        sheets.append(Sheet(folder / part["file"], first, columns, rows, width, height))
        first += columns * rows
    return sheets
