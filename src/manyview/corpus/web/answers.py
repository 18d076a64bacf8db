"""Answers: what the attributes of elements say to one question, kept for the next pages."""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Answers"]

_LONGEST, _MOST = 200, 50_000


class Answers(dict[str, bool]):
    """The answers to a question, by attributes as written; a decorator of the function that answers.

    Pages repeat their attributes: answers to short ones are remembered, and all forgotten when they are too many.
    """

    def __init__(self, answer: Callable[[str], bool]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, raw: str) -> bool:
        found = self._answer(raw)
        if len(raw) <= _LONGEST:
            if len(self) >= _MOST:
                self.clear()
            self[raw] = found
        return found
