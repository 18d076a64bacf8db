"""Splits that never separate what belongs together."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from hashlib import blake2b

from manyview.errors import UsageError


def components(keys: Sequence[Iterable[Hashable]]) -> list[int]:
    """Number the connected components of records, two being joined when they share any key.

    Returns one number per record, counted from 0 in order of first appearance.
    """
    parent = list(range(len(keys)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    first_with: dict[Hashable, int] = {}
    for index, own in enumerate(keys):
        for key in own:
            other = root(first_with.setdefault(key, index))
            mine = root(index)
            parent[max(mine, other)] = min(mine, other)

    number: dict[int, int] = {}
    return [number.setdefault(root(index), len(number)) for index in range(len(keys))]


def assign_splits(names: Sequence[str], weights: Sequence[float], seed: int, shares: Mapping[str, float]) -> list[str]:
    """Give each component a split, in an order drawn by the hash of (seed, name).

    The splits fill up from the smallest share to the largest. No split takes a component that would lift
    it above its share of the total finite weight; the largest share takes whatever is left, so a component
    of infinite weight always lands there. Raises UsageError unless shares are positive and sum to 1.
    """
    if len(names) != len(weights):
        raise UsageError(f"one weight per component is needed, got {len(weights)} for {len(names)} components")
    if not shares or min(shares.values()) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise UsageError(f"shares must be positive and sum to 1, got {dict(shares)}")
    *small, largest = sorted(shares, key=lambda split: (shares[split], split))
    total = sum(weight for weight in weights if weight != float("inf"))
    assigned = [largest] * len(names)
    waiting = sorted(range(len(names)), key=lambda index: seeded_order(seed, names[index]))
    for split in small:
        room = shares[split] * total * (1 + 1e-9)
        left = []
        for index in waiting:
            if weights[index] <= room:
                assigned[index] = split
                room -= weights[index]
            else:
                left.append(index)
        waiting = left
    return assigned


def seeded_order(seed: int, name: str) -> bytes:
    """Sort key that shuffles names the same way on every machine; ties fall back to the name."""
    return blake2b(f"{seed}\0{name}".encode(), digest_size=16).digest() + name.encode()
