"""Stages: work in units that run anywhere, and are not done again when a killed build is started once more."""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import connection
from pathlib import Path
from typing import Any, Protocol

__all__ = ["Result", "Run", "Unit", "in_processes", "in_turn", "stage"]

Result = dict[str, Any]  # what JSON can hold


@dataclass(frozen=True)
class Unit:
    """One call of a function that leaves files in the work folder and returns what JSON can hold.

    Doing it twice, also at the same time, leaves the same files. It can be pickled.
    """

    record: Path
    function: Callable[..., Result]
    arguments: tuple[Any, ...]

    def __call__(self) -> Result:
        """Its result, from the record of an earlier run where there is one."""
        try:
            found: Result = json.loads(self.record.read_bytes())
        except OSError:
            found = self.function(*self.arguments)
            unfinished = self.record.with_name(f"{self.record.name}.{os.getpid()}.unfinished")
            unfinished.write_text(json.dumps(found), encoding="utf-8")
            unfinished.replace(self.record)
        return found


class Run(Protocol):
    """Runs units somewhere that sees the work folder: here, in processes, on a cluster."""

    def __call__(self, units: Sequence[Unit], /) -> Iterable[Result]:
        """The results in the order of the units."""


def in_turn(units: Sequence[Unit]) -> Iterator[Result]:
    """One after the other in this process."""
    return (unit() for unit in units)


@contextmanager
def in_processes(number: int) -> Iterator[Run]:
    """`number` processes at a time, the same for all the stages; they end with this one, however it ends."""
    if number < 2:
        yield in_turn
        return
    with ProcessPoolExecutor(number, multiprocessing.get_context("spawn"), _watch_parent) as pool:

        def run(units: Sequence[Unit]) -> Iterator[Result]:
            return pool.map(Unit.__call__, units)

        try:
            yield run
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _watch_parent() -> None:
    """A worker whose parent was killed would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_after, args=(parent.sentinel,), daemon=True).start()


def _end_after(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def stage(name: str, work: Path, function: Callable[..., Result], arguments: Iterable[tuple[Any, ...]]) -> list[Unit]:
    """A unit for each tuple of arguments, its record named after the stage and its number."""
    return [Unit(work / f"{name}-{i:06d}.json", function, of) for i, of in enumerate(arguments)]
