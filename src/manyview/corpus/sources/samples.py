"""Samples: the members of a tar that have one name and differ in their suffix."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Set
from dataclasses import dataclass, field
from typing import Any

from manyview.corpus.sources.tar import Member
from manyview.imaging import READABLE_SUFFIXES

__all__ = [
    "IMAGE_SUFFIXES",
    "TEXT_SUFFIXES",
    "OpenSamples",
    "Sample",
    "UnreadSuffixes",
    "compound_suffixes",
    "split_name",
]

IMAGE_SUFFIXES = tuple(suffix.removeprefix(".") for suffix in READABLE_SUFFIXES)
TEXT_SUFFIXES = ("txt", "text", "caption", "cls", "json")
SHOWN_SUFFIXES = 20
CAPTION_SUFFIXES = ("txt", "text", "caption")
OPEN_SAMPLES = 8
TORN = "tar: sample with a name twice"


@dataclass(slots=True)
class Sample:
    """The members of one name."""

    row: dict[str, Any]
    image: Member | None = None
    data: bytes | None = None
    size: int = 0
    suffixes: list[str] = field(default_factory=list)


def split_name(name: str, named: Set[str] = frozenset()) -> tuple[str, str, str]:
    """The name up to the first point of its last part, the key, and the suffix in lower case.

    The suffix is the longest end behind a point that is in `named` or known: `seg.png` of `a.v2.seg.png` if it is
    named, else `png` of the key `a.v2.seg`; `a.jpg.txt` is a text of `a`. An unknown suffix is what follows the last
    point. WebDataset takes all that follows the first point: its suffixes with a point have to be named. A name that
    begins or ends with its only point has no suffix.
    """
    folder, slash, last = name.rpartition("/")
    first, _, rest = last.partition(".")
    stem = folder + slash + first
    if "." not in rest or not first:
        return stem, stem, rest.lower() if first else ""
    pieces = rest.lower().split(".")
    for start in range(len(pieces)):
        suffix = ".".join(pieces[start:])
        if suffix in named:
            return stem, name.rsplit(".", len(pieces) - start)[0], suffix
    of_image = len(pieces) > 1 and pieces[-2] in IMAGE_SUFFIXES and pieces[-1] in TEXT_SUFFIXES
    return stem, name.rsplit(".", 2 if of_image else 1)[0], pieces[-1]


def compound_suffixes(names: Iterable[str]) -> tuple[str, tuple[str, ...]]:
    """The suffixes with points of an image and of its texts that WebDataset's rule needs here, empty if none does.

    They are those of names that agree up to the first point, of one image and of texts that no image stands beside
    otherwise, such as `input.jpg` and `output.txt`, in most of the samples that have an image.
    """
    members = defaultdict[str, list[tuple[str, str, str]]](list)
    for name in names:
        stem, key, suffix = split_name(name)
        members[stem].append((key, suffix, name[len(stem) + 1 :].lower()))
    found, pictured = Counter[tuple[str, tuple[str, ...]]](), 0
    for stem, of_stem in members.items():
        images = [(key, rest) for key, suffix, rest in of_stem if suffix in IMAGE_SUFFIXES]
        pictured += bool(images)
        if len(images) == 1:
            key, rest = images[0]
            texts = [member for member in of_stem if member[1] in CAPTION_SUFFIXES]
            alone = tuple(sorted(text for of, _, text in texts if of != key))
            if alone and (key == stem or len(alone) == len(texts)):
                found["" if key == stem else rest, alone] += 1
    suffixes, count = found.most_common(1)[0] if found else (("", ()), 0)
    return suffixes if count > 1 and 2 * count > pictured else ("", ())


class OpenSamples:
    """The samples of a tar whose members may still come: those of names that are one up to their first point.

    When a name is there twice, a second sample of the key begins if all members seem to come again in order; else
    nobody can say what belongs together, and the sample is left out whole and counted.
    """

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._stem = ""
        self._open: dict[str, Sample] = {}
        self._torn = set[str]()

    def turn(self, stem: str, key: str, suffix: str) -> tuple[Sample | None, list[Sample]]:
        """The sample that a member belongs to, None if it was left out, and the samples that are complete by now."""
        finished = [] if stem == self._stem else self.rest()
        self._stem = stem
        if key in self._torn:
            return None, finished
        sample = self._open.get(key)
        if sample is not None and suffix in sample.suffixes:
            del self._open[key]
            if suffix != sample.suffixes[0]:
                self._torn.add(key)
                self._skipped[TORN] += 1
                return None, finished
            finished.append(sample)
            sample = None
        if sample is None:
            if len(self._open) == OPEN_SAMPLES:
                finished.append(self._open.pop(next(iter(self._open))))
            sample = self._open[key] = Sample({"__key__": key})
        return sample, finished

    def rest(self) -> list[Sample]:
        """The samples that are still open."""
        rest = list(self._open.values())
        self._open, self._torn = {}, set()
        return rest


class UnreadSuffixes:
    """Counts members that are not read by their suffix, the first twenty suffixes by name."""

    def __init__(self, skipped: Counter[str]) -> None:
        self._skipped = skipped
        self._shown = set[str]()

    def count(self, suffix: str) -> None:
        """One member more."""
        if not suffix:
            self._skipped["tar: name without a suffix"] += 1
            return
        if len(self._shown) < SHOWN_SUFFIXES:
            self._shown.add(suffix)
        name = f"suffix .{suffix}" if suffix in self._shown else "other suffixes"
        self._skipped[f"tar: {name}, neither image nor text"] += 1
