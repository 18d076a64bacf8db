"""Reader: what finds the phrases in texts of one language."""

from __future__ import annotations

from collections.abc import Callable, Sequence

__all__ = ["Reader", "Words"]

Words = tuple[str, ...]
Reader = Callable[[Sequence[str]], list[list[Words]]]  # of each text its phrases, in their order, each in words
