"""Loader: batches made ahead by other processes, whose death or silence has a name."""

import atexit
import multiprocessing
import os
import signal
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any
from weakref import WeakSet

from torch.utils.data import DataLoader

from manyview.data.batches import Batch, BatchSource
from manyview.errors import ManyviewError

__all__ = ["PATIENCE_S", "iterate"]

PATIENCE_S = 300.0
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def iterate(
    source: BatchSource, start: int, stop: int, workers: int = 1, patience_s: float = PATIENCE_S
) -> Generator[Batch, None, None]:
    """Batches `start` to `stop`, made ahead by so many processes; the batches are the same for any number.

    Raises ManyviewError when a worker has died, or when none has given a batch for `patience_s` seconds.
    """
    loader: DataLoader[Batch] = DataLoader(
        source,
        batch_size=None,
        sampler=range(start, stop),
        num_workers=workers,
        collate_fn=_as_is,
        worker_init_fn=_ignore_stops,
        timeout=patience_s if workers else 0,
    )
    others = set(multiprocessing.active_children())
    batches: Iterator[Batch] | None = iter(loader)
    mine = set(multiprocessing.active_children()) - others
    _WORKERS.update(mine)
    with _deaths_noted() as while_waiting:
        try:
            for step in range(start, stop):
                try:
                    batch = while_waiting(partial(next, batches))
                except RuntimeError as error:
                    raise _named(error, step, patience_s) from error
                yield batch
        finally:
            _end(mine)
            batches = None  # torch forgets them, too


_WORKERS = WeakSet[BaseProcess]()


def _end(workers: Iterable[BaseProcess]) -> None:
    """Workers have no state and hear no other signal; one that hangs would keep this process from ending."""
    for worker in workers:
        worker.kill()
        worker.join()
        _WORKERS.discard(worker)


@atexit.register  # after multiprocessing's own, and so before it: that one would wait for them
def _end_all() -> None:
    _end([worker for worker in _WORKERS if worker._parent_pid == os.getpid()])  # type: ignore[attr-defined]


def _named(error: RuntimeError, step: int, patience_s: float) -> Exception:
    said = str(error)
    if "timed out" in said:
        return ManyviewError(
            f"the loader gave no batch for {patience_s:g} s (step {step + 1}): storage that hangs, or raise patience_s"
        )
    if "DataLoader worker" in said:
        what = said.splitlines()[0].rstrip(".")
        return ManyviewError(f"{what} (step {step + 1}): memory that ran out, or fewer workers or a smaller window")
    return error


@contextmanager
def _deaths_noted() -> Iterator[Callable[[Callable[[], Batch]], Batch]]:
    """torch raises a worker's death from a signal handler, anywhere; here only where a batch is waited for."""
    theirs = signal.getsignal(signal.SIGCHLD)
    waiting, noted = [False], list[RuntimeError]()

    def note(number: int, frame: FrameType | None) -> None:
        try:
            theirs(number, frame)  # type: ignore[operator,misc]
        except RuntimeError as error:
            if waiting[0]:
                raise
            noted.append(error)

    def wait(take: Callable[[], Batch]) -> Batch:
        if noted:
            raise noted[0]
        waiting[0] = True
        try:
            return take()
        finally:
            waiting[0] = False

    handled = callable(theirs)
    try:
        if handled:
            signal.signal(signal.SIGCHLD, note)
    except ValueError:  # not the main thread, where torch has no handler either
        handled = False
    try:
        yield wait
    finally:
        if handled:
            signal.signal(signal.SIGCHLD, theirs)


def _ignore_stops(worker: int) -> None:
    """Signals reach every process of a terminal or a job; when to stop is the main one's to decide."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)


def _as_is(batch: Any) -> Any:
    return batch
