"""Groups: sums of whole numbers by keys, exact, whatever the order of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from manyview.corpus.clicks.columns import Ints

__all__ = ["starts_of", "sums_by"]

_LARGEST = 2**62


def sums_by(keys: Sequence[Ints], values: Sequence[Ints]) -> tuple[list[Ints], list[Ints]]:
    """The different rows of `keys`, in order, and for each the sums of `values`. Keys are not negative."""
    order = _order(keys)
    sorted_keys = [key[order] for key in keys]
    starts = starts_of(sorted_keys)
    if not len(starts):
        return [key[:0] for key in keys], [value[:0] for value in values]
    return [key[starts] for key in sorted_keys], [np.add.reduceat(value[order], starts) for value in values]


def starts_of(sorted_keys: Sequence[Ints]) -> Ints:
    """Where each group of equal rows begins."""
    rows = len(sorted_keys[0])
    if not rows:
        return np.zeros(0, np.int64)
    new = np.zeros(rows, bool)
    new[0] = True
    for key in sorted_keys:
        new[1:] |= key[1:] != key[:-1]
    return np.flatnonzero(new)


def _order(keys: Sequence[Ints]) -> Ints:
    """Sorting one combined number is several times faster than sorting by several columns."""
    sizes = [int(key.max(initial=0)) + 1 for key in keys]
    total = 1
    for size in sizes:
        total *= size
    if total > _LARGEST:
        return np.lexsort(list(keys)[::-1])
    combined = keys[0]
    for key, size in zip(keys[1:], sizes[1:], strict=True):
        combined = combined * size + key
    return np.argsort(combined)
