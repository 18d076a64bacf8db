"""Inherited: a mark that an element hands down to all it holds, such as standing in a side bar."""

from __future__ import annotations

from collections.abc import Callable

from manyview.corpus.web.outline import Outline

__all__ = ["Inherited"]


class Inherited:
    """Asks `starts` once for each element at most, from below; all answers of a page together take linear time."""

    def __init__(self, outline: Outline, starts: Callable[[str, str], bool]) -> None:
        self._tags, self._raw, self._parents = outline.tags, outline.raw, outline.parents
        self._starts, self._known = starts, {-1: False}

    def marks(self, element: int) -> bool:
        """Whether `starts(tag, raw attributes)` is true of the element or of anything it stands in."""
        known = self._known
        answer = known.get(element)
        if answer is not None:
            return answer
        way = list[int]()
        while (answer := known.get(element)) is None:
            way.append(element)
            if self._starts(self._tags[element], self._raw[element]):
                answer = True
                break
            element = self._parents[element]
        for of in way:
            known[of] = answer
        return answer
