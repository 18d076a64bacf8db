"""Pair: which view asks, which view answers, and how much it counts."""

from dataclasses import dataclass

__all__ = ["Pair"]


@dataclass(frozen=True)
class Pair:
    """A directed pair of views: each row of `query` must find its own row among all rows of `key`."""

    query: str
    key: str
    weight: float = 1.0

    def __str__(self) -> str:
        return f"{self.query}->{self.key}"
