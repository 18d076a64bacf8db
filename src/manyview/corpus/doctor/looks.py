"""Looks: formats, sizes and faults of the sampled images, and which of them look alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf

import numpy as np
import pyarrow as pa

from manyview.corpus.doctor.extremes import Extremes
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.look import look
from manyview.corpus.doctor.measures import ImageMeasures
from manyview.corpus.doctor.quantiles import quantiles
from manyview.corpus.doctor.tally import Shares, Tally
from manyview.corpus.fingerprint import image_identity
from manyview.corpus.table import NO_IMAGE_HASH, encoded_image

__all__ = ["FindNear", "Looks", "near_groups", "same_hash"]

FindNear = Callable[[np.ndarray, int], np.ndarray]
"""(int64 hashes [n], Hamming distance) -> [n]: rows of equal numbers are near-duplicates of one another."""

_LEVELS_APART = 32
_SIDES = (32, 64, 128, 224, 384, 512, 768, 1024, 2048, 4096)
_SHAPES = {
    "taller than 4:1": 0.25,
    "2:1 to 4:1 tall": 0.5,
    "5:4 to 2:1 tall": 0.8,
    "about square": 1.25,
    "5:4 to 2:1 wide": 2,
    "2:1 to 4:1 wide": 4,
    "wider than 4:1": inf,
}


@dataclass(frozen=True)
class Looked:
    """A sampled image that could be decoded."""

    row: int
    near_hash: int | None
    reduced: bytes
    bytes_hash: int

    def resembles(self, other: Looked) -> bool:
        """No cell differs much in color: hashes see brightness only, and drawings of few lines share hashes."""
        one, two = (np.frombuffer(looked.reduced, np.uint8).astype(np.int16) for looked in (self, other))
        return int(np.abs(one - two).max()) <= _LEVELS_APART


class Looks:
    """Looks at every image it is given."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.seen: list[Looked] = []
        self.broken: dict[int, str] = {}
        self.wrong_hash: list[int] = []
        self.small, self.strips, self.heavy = (Extremes(limits.examples) for _ in range(3))
        self.counted = Counter[str]()
        self._formats, self._modes = Tally(), Tally()
        self._short, self._long, self._aspect, self._size = (Counter[int]() for _ in range(4))
        self._shapes = Counter[str]()

    def add(self, images: pa.ChunkedArray, hashes: pa.ChunkedArray, rows: np.ndarray) -> None:
        """Rows of the columns `image` and `image_hash`; a record that has and names no image is passed over."""
        for cell, declared, row in zip(images, hashes, rows.tolist(), strict=True):
            image, image_hash = encoded_image(cell.as_py()), declared.as_py()
            if image is not None or image_hash != NO_IMAGE_HASH:
                self._add_one(image or b"", image_hash, row)

    def measures(self) -> ImageMeasures:
        reasons = Counter(self.broken.values())
        return ImageMeasures(
            sampled=len(self.seen) + len(self.broken),
            broken=tuple(sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0]))),
            formats=self._formats.shares(),
            modes=self._modes.shares(),
            short_side=quantiles(self._short),
            long_side=quantiles(self._long),
            aspect=quantiles(self._aspect),
            size=quantiles(self._size),
            sides=_side_bins(self._short),
            shapes=tuple((name, self._shapes[name]) for name in _SHAPES),
            small=self.counted["small"],
            strips=self.counted["strip"],
            wrong_hash=len(self.wrong_hash),
        )

    def _add_one(self, data: bytes, declared: int | None, row: int) -> None:
        bytes_hash = image_identity(data)
        if declared is not None and declared != bytes_hash:
            self.wrong_hash.append(row)
        self._size[len(data)] += 1
        found = look(data, self._limits.max_pixels)
        if isinstance(found, str):
            self.broken[row] = found
            return
        self.seen.append(Looked(row, found.near_hash, found.reduced, bytes_hash))
        self._formats.add(found.format)
        self._modes.add(found.mode)
        self._measure(found.width, found.height, len(data), row)

    def _measure(self, width: int, height: int, size: int, row: int) -> None:
        short, long = min(width, height), max(width, height)
        self._short[short] += 1
        self._long[long] += 1
        self._aspect[round(100 * long / short)] += 1
        self._shapes[_shape(width / height)] += 1
        one = np.array([row])
        self.heavy.add(np.array([size]), one)
        if short < self._limits.min_side_px:
            self.counted["small"] += 1
            self.small.add(np.array([-short]), one)
        if long > self._limits.max_aspect * short:
            self.counted["strip"] += 1
            self.strips.add(np.array([round(100 * long / short)]), one)


def same_hash(hashes: np.ndarray, _distance: int) -> np.ndarray:
    """The plain way to find near-duplicates: those whose perceptual hashes are equal."""
    numbers: np.ndarray = np.unique(hashes, return_inverse=True)[1]
    return numbers


def near_groups(looks: Looks, find_near: FindNear, distance: int) -> Iterator[list[int]]:
    """The rows of sampled images that look alike, the groups and rows in order; equal bytes are taken once."""
    first = {one.bytes_hash: one for one in reversed(looks.seen) if one.near_hash is not None}
    comparable = sorted(first.values(), key=lambda one: one.row)
    if not comparable:
        return
    numbers = find_near(np.array([one.near_hash for one in comparable], np.int64), distance)
    groups: dict[int, list[Looked]] = {}
    for one, number in zip(comparable, numbers.tolist(), strict=True):
        groups.setdefault(number, []).append(one)
    for group in groups.values():
        yield from _resembling(group)


def _resembling(group: list[Looked]) -> Iterator[list[int]]:
    """The parts of a group in which all resemble the first, without those that stand alone."""
    while len(group) > 1:
        alike = [one for one in group if one.resembles(group[0])]
        if len(alike) > 1:
            yield [one.row for one in alike]
        group = [one for one in group if one not in alike]


def _shape(ratio: float) -> str:
    return next(name for name, limit in _SHAPES.items() if ratio <= limit)


def _side_bins(counts: Counter[int]) -> Shares:
    """How many sides lie below each of _SIDES and not below the one before."""
    bounds = (0, *_SIDES)
    names = [f"{low}–{high - 1}" for low, high in zip(bounds, _SIDES, strict=False)] + [f"≥ {_SIDES[-1]}"]
    bins = np.zeros(len(names), np.int64)
    for side, times in counts.items():
        bins[np.searchsorted(_SIDES, side, side="right")] += times
    return tuple(zip(names, bins.tolist(), strict=True))
