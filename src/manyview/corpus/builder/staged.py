"""Staged: what a build knows of images and texts before it knows their place in the corpus."""

from __future__ import annotations

from hashlib import blake2b

import pyarrow as pa

__all__ = ["FORMAT", "IMAGES", "PART_BITS", "PART_VIEWS", "SCORES", "VIEWS", "draw", "first_place", "part_number"]

FORMAT = 4  # of the tables: those that an older version left behind are made anew

IMAGES = pa.schema(
    [
        ("id", pa.string()),
        ("place", pa.int64()),  # where the row stands in the sources; the first of several rows counts
        ("source", pa.string()),
        ("group", pa.string()),
        ("license", pa.string()),
        ("attribution", pa.string()),
        ("path", pa.string()),  # the file that holds the bytes, from `offset` on
        ("offset", pa.int64()),
        ("length", pa.int64()),
        ("origin", pa.string()),  # what the user knows of where they come from: a file, a part of a source, a URL
        ("content", pa.int64()),  # equal for equal bytes
        ("stamp", pa.int64()),  # of the file before it was read; null: there is none
        ("looks", pa.int64()),  # perceptual hash; null: not known, or nothing to be seen
        ("order", pa.float64()),  # where in its split the record comes, in [0, 1)
        ("draw", pa.float64()),  # which split its group falls into, in [0, 1)
    ]
)

VIEWS = pa.schema(
    [
        ("id", pa.string()),
        ("place", pa.int64()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("lang", pa.string()),
        ("weight", pa.float32()),
        ("origin", pa.string()),
        ("said", pa.int64()),  # equal for texts that differ in case, white space or compatibility characters only
    ]
)

PART_VIEWS = pa.schema([*VIEWS, ("beside", pa.int64())])  # the place of the image in the same row; null: there is none

SCORES = pa.schema(
    [
        ("id", pa.string()),
        ("place", pa.int64()),  # where the row stands in the tables of scores; the last of several counts
        ("kind", pa.string()),  # null: of every kind
        ("said", pa.int64()),  # as in VIEWS
        ("score", pa.float32()),
    ]
)

PART_BITS = 28
_PART_ROWS, _SOURCE_PARTS = 1 << PART_BITS, 1 << 20


def first_place(source: int, part: int) -> int:
    """The place of a part's first row: rows are ordered by source, then part, then as they are read."""
    return (source * _SOURCE_PARTS + part) * _PART_ROWS


def part_number(place: int) -> int:
    """The number of the part, over all sources, whose row stands at a place."""
    return place >> PART_BITS


def draw(seed: int, purpose: str, name: str) -> float:
    """A number in [0, 1) that the hash of its arguments draws, the same on every machine."""
    digest = blake2b(f"{seed}\0{purpose}\0{name}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) / (1 << 53)
