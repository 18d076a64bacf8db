"""Together: which groups of images must land in one split, because something ties them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from manyview.corpus.builder.config import SplitConfig
from manyview.corpus.builder.staged import draw

__all__ = ["Component", "bounds", "largest_split", "tied_components"]


@dataclass(frozen=True)
class Component:
    """Groups that stay together, under the smallest of their names, and the split they are in."""

    name: str
    split: str


def bounds(split: SplitConfig) -> list[tuple[str, float]]:
    """Each split with the end of its range of draws; the last ends at 1, whatever rounding has left."""
    total, ends = 0.0, []
    for name, share in split.shares.items():
        total += share
        ends.append((name, total))
    return [*ends[:-1], (ends[-1][0], 1.0)]


def tied_components(
    ties: Iterable[tuple[str, str]],
    sizes: Mapping[str, int],
    split: SplitConfig,
    seed: int,
    settled: Mapping[str, Component],
) -> dict[str, Component]:
    """The component of each group that is tied to another, too large to be held out, or settled by an earlier build.

    `sizes` are the records of groups, of at least the tied ones and the large ones. A component is drawn by the hash
    of its name, whatever the order of the ties; one that holds a settled group goes where that is.
    """
    found = {}
    for groups in _connected(ties, [*sizes, *settled]):
        records = sum(sizes.get(group, 0) for group in groups)
        large = split.max_held_out is not None and records > split.max_held_out
        known = next((settled[group] for group in groups if group in settled), None)
        if known or large or len(groups) > 1:
            name = groups[0]
            component = known or Component(name, largest_split(split) if large else _drawn(split, seed, name))
            found.update(dict.fromkeys(groups, component))
    return found


def _connected(ties: Iterable[tuple[str, str]], others: Iterable[str]) -> list[list[str]]:
    """The connected components, each sorted."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for one, other in ties:
        first, second = sorted((root(one), root(other)))
        parent[second] = first
    for name in others:
        root(name)
    members: dict[str, list[str]] = {}
    for name in sorted(parent):
        members.setdefault(root(name), []).append(name)
    return list(members.values())


def largest_split(split: SplitConfig) -> str:
    """The name of the split with the largest share: the one that is trained on."""
    return max(split.shares, key=lambda name: split.shares[name])


def _drawn(split: SplitConfig, seed: int, name: str) -> str:
    drawn = draw(seed, "split", name)
    return next(name for name, end in bounds(split) if drawn < end)
