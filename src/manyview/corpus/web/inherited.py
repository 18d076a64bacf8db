"""Inherited: a mark that an element hands down to all it holds, such as standing in a side bar."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable

from manyview.corpus.web.outline import Outline

__all__ = ["Inherited"]


class Inherited:
    """Knows what stands in any of some elements, which come in document order."""

    def __init__(self, outline: Outline, elements: Iterable[int]) -> None:
        self._begins, self._ends = list[int](), list[int]()
        end = 0
        for element in elements:
            if element >= end:  # else it stands in the one before
                end = outline.lasts[element]
                self._begins.append(element)
                self._ends.append(end)

    def marks(self, element: int) -> bool:
        """Whether it is one of the elements, or stands in one."""
        before = bisect_right(self._begins, element)
        return before > 0 and element < self._ends[before - 1]
