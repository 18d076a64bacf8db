"""Assemble: drawings become records, without duplicates, in splits that leak nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from drawing import Drawing, Rendered
from lookalike import lookalikes

from manyview.corpus import Record
from manyview.corpus.fingerprint import normalized_text
from manyview.corpus.split import assign_splits, components


@dataclass(frozen=True)
class Item:
    """A record and its component, named after the smallest id in it."""

    record: Record
    component: str


def connect(
    rendered: Sequence[tuple[Drawing, Rendered]],
    dropped: Counter[str],
    several_names_per_picture: bool = False,
) -> list[Item]:
    """One item per distinct picture; items that share a concept, a title or a look share a component.

    With `several_names_per_picture` the same pixels may stand for things of different names.
    """
    seen: set[tuple[Hashable, ...]] = set()
    kept = []
    for drawing, image in sorted(rendered, key=lambda pair: pair[0].id):
        same = (image.pixels, drawing.titles[0]) if several_names_per_picture else (image.pixels,)
        if same in seen:
            dropped["same pixels as another image"] += 1
        else:
            seen.add(same)
            kept.append((drawing, image))
    keys = [_keys(drawing, image) for drawing, image in kept]
    for one, other in lookalikes([image.thumbnail for _, image in kept]):
        keys[one].add(("alike", one, other))
        keys[other].add(("alike", one, other))
    numbers = components(keys)
    names: dict[int, str] = {}
    return [
        Item(_record(drawing, image), names.setdefault(number, drawing.id))
        for (drawing, image), number in zip(kept, numbers, strict=True)
    ]


def _keys(drawing: Drawing, image: Rendered) -> set[Hashable]:
    titles = {("title", normalized_text(title).removeprefix("flag: ")) for title in drawing.titles}
    return {("group", drawing.group), ("pixels", image.pixels), *titles}


def _record(drawing: Drawing, image: Rendered) -> Record:
    return Record(
        id=drawing.id,
        group=drawing.group,
        image=image.data,
        texts=drawing.texts,
        source=drawing.source,
        license=drawing.license,
        attribution=drawing.attribution,
    )


def split(
    items: Sequence[Item], shares: Mapping[str, Mapping[str, float]], max_held_out: int, seed: int
) -> dict[str, list[Record]]:
    """Records by split: `shares` of the components of each source.

    A component belongs to the first of the sources that occurs in it; one of more than `max_held_out`
    records goes to the largest share.
    """
    sizes = Counter(item.component for item in items)
    sources: dict[str, set[str]] = {}
    for item in items:
        sources.setdefault(item.component, set()).add(item.record.source)
    where: dict[str, str] = {}
    for source, wanted in shares.items():
        names = sorted(name for name in sources if name not in where and source in sources[name])
        weights = [1.0 if sizes[name] <= max_held_out else float("inf") for name in names]
        where.update(zip(names, assign_splits(names, weights, seed, wanted), strict=True))
    result: dict[str, list[Record]] = {name: [] for name in ("train", "val", "test")}
    for item in items:
        result[where[item.component]].append(item.record)
    return result
