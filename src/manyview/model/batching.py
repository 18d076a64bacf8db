"""Batching: a long sequence is worked through in chunks, the next one begun while one is used."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["chunks_of", "made_ahead"]

Item = TypeVar("Item")
Made = TypeVar("Made")


def chunks_of(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The items, so many at a time."""
    return (items[i : i + size] for i in range(0, len(items), size))


def made_ahead(
    threads: ThreadPoolExecutor, make: Callable[[Item], Made], chunks: Iterable[Sequence[Item]]
) -> Iterator[list[Made]]:
    """What `make` gives for every item, chunk by chunk, begun on the next one when one is asked for."""
    waiting: Iterator[Made] | None = None
    for chunk in chunks:
        begun = threads.map(make, chunk)
        if waiting is not None:
            yield list(waiting)
        waiting = begun
    if waiting is not None:
        yield list(waiting)
