"""Drawing: what a source knows about an image, before and after it is rendered."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from manyview.corpus import Text


@dataclass(frozen=True)
class Vector:
    """An SVG; `trim` cuts the empty border of the page off."""

    svg: bytes
    trim: bool = False


@dataclass(frozen=True)
class Sprite:
    """A rectangle (left, top, right, bottom) of an image file."""

    sheet: Path
    box: tuple[int, int, int, int]


@dataclass(frozen=True)
class Drawing:
    """One image to be; drawings of one `group` show the same concept."""

    id: str
    group: str
    picture: Vector | Sprite
    texts: tuple[Text, ...]
    source: str
    license: str
    attribution: str

    @property
    def titles(self) -> list[str]:
        """Titles in all languages."""
        return [text.text for text in self.texts if text.kind == "title"]


@dataclass(frozen=True)
class Rendered:
    """An encoded image and what tells it from others."""

    data: bytes
    pixels: int
    thumbnail: bytes
