"""Loader: batches made ahead by other processes, whose death or silence has a name."""

import atexit
import os
import signal
import time
import traceback
from collections.abc import Callable, Collection, Generator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import Pipe, Process, connection, parent_process
from weakref import WeakSet

import torch
import torch.multiprocessing  # tensors pass through pipes as handles of shared memory

from manyview.data.batches import Batch, BatchSource
from manyview.errors import ManyviewError

__all__ = ["PATIENCE_S", "iterate"]

PATIENCE_S = 300.0
_AHEAD = 2  # batches each worker makes before the first of them is taken
_WATCH_S = 5.0  # how often a worker that has nothing to do looks whether anybody is left to work for
_GRACE_S = 1.0  # in the middle of a batch, SIGKILL leaves shared memory behind
_BURIAL_S = 1.0  # a worker's death breaks its pipe first, and is known a moment later
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)


def iterate(
    source: BatchSource, start: int, stop: int, workers: int = 1, patience_s: float = PATIENCE_S
) -> Generator[Batch, None, None]:
    """Batches `start` to `stop`, made ahead by so many processes; the batches are the same for any number.

    Raises ManyviewError when a worker has died, or when the next batch takes it more than `patience_s` seconds; what
    the source raises is raised here. torch's DataLoader is not used: its workers share locks, and one that is killed
    while it holds one makes everybody else wait for ever.
    """
    if workers == 0:
        yield from (source[step] for step in range(start, stop))
        return
    team: list[_Worker] = []
    try:
        for _ in range(min(workers, stop - start)):
            team.append(_Worker.start(source))
        for step in range(start, min(stop, start + _AHEAD * len(team))):
            team[(step - start) % len(team)].ask(step)
        for step in range(start, stop):
            worker = team[(step - start) % len(team)]
            batch = worker.take(step, patience_s)
            if step + _AHEAD * len(team) < stop:
                worker.ask(step + _AHEAD * len(team))
            yield batch
    finally:
        _end(team)


@dataclass(frozen=True, eq=False)
class _Worker:
    process: Process
    pipe: "connection.Connection[int | None, Batch | Exception]"

    @classmethod
    def start(cls, source: BatchSource) -> "_Worker":
        mine, theirs = Pipe()
        process = Process(target=_work, args=(source, theirs, _WATCH_S), daemon=True)
        process.start()
        theirs.close()
        worker = cls(process, mine)
        _AT_WORK.add(worker)
        return worker

    def ask(self, step: int | None) -> None:
        """For a batch, or to stop."""
        with suppress(OSError):  # a death is told where its batch is awaited
            self.pipe.send(step)

    def take(self, step: int, patience_s: float) -> Batch:
        """The batch of the step asked for first."""
        if not connection.wait([self.pipe, self.process.sentinel], timeout=patience_s):
            raise ManyviewError(
                f"the loader gave no batch for {patience_s:g} s (step {step + 1}): storage that hangs, or raise "
                "patience_s"
            )
        try:
            made = self.pipe.recv()
        except (OSError, EOFError):
            if not connection.wait([self.process.sentinel], timeout=_BURIAL_S):
                raise
            self.process.join()
            code = self.process.exitcode or 0
            how = f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
            raise ManyviewError(
                f"loader worker {self.process.pid} {how} (step {step + 1}): where memory "
                "ran out, fewer workers need less"
            ) from None
        if isinstance(made, Exception):
            raise made
        return made


def _work(source: BatchSource, pipe: "connection.Connection[Batch | Exception, int | None]", watch_s: float) -> None:
    """Signals reach every process of a terminal or a job; when to stop is the main one's to decide."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
    torch.set_num_threads(1)
    is_orphan = _orphan_check()
    with suppress(OSError, EOFError):  # nobody listens any more
        while True:
            while not pipe.poll(watch_s):
                if is_orphan():
                    return
            if (step := pipe.recv()) is None:
                return
            try:
                made: Batch | Exception = source[step]
            except Exception as error:
                error.add_note(traceback.format_exc())
                made = error  # and raised where the batch is awaited
            pipe.send(made)


def _orphan_check() -> Callable[[], bool]:
    """What tells a worker that the process it works for is gone, however it was started.

    A forked worker is a child of that process, whose death changes its parent; the pipe that breaks then is held open
    by workers that were forked later. One of a fork server is a child of the server, and has only the pipe.
    """
    main, parent = parent_process(), os.getppid()
    assert main is not None
    if main.pid == parent:
        return lambda: os.getppid() != parent
    return lambda: not main.is_alive()


_AT_WORK = WeakSet[_Worker]()


def _end(team: Collection[_Worker]) -> None:
    """Workers are asked to end and then made to: they have no state, and one that hangs would keep all others."""
    for worker in team:
        worker.ask(None)
    deadline = time.monotonic() + _GRACE_S
    for worker in team:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        _AT_WORK.discard(worker)


@atexit.register  # after multiprocessing's own, and so before it: that one would wait for them
def _end_all() -> None:
    _end([worker for worker in _AT_WORK if worker.process._parent_pid == os.getpid()])  # type: ignore[attr-defined]
