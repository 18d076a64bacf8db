"""Side by side: trainings that need nothing of one another, each in a process with its share of the cores."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import torch

from manyview.corpus import Corpus
from manyview.errors import Interrupted, ManyviewError, Saved
from manyview.evaluate import record_weigher
from manyview.train import TrainConfig, train
from manyview.train.metrics import Sink
from manyview.train.stopping import StopRequest, catch_stop

__all__ = ["share_of_cores", "train_and_weigh", "train_side_by_side"]

_ASKED_EACH_S = 0.2


def share_of_cores(config: TrainConfig, trainings: int) -> int | None:
    """Threads for each of so many trainings; None where they had better take turns: on a GPU, or on one core.

    More trainings than cores run with one thread each and share the cores. On a CPU two trainings of small towers with
    one thread each take 0.7 of the time that they take in turn with two.
    """
    on_gpu = config.device != "cpu" and (config.device != "auto" or torch.cuda.is_available())
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return None if on_gpu or cores < 2 else max(1, torch.get_num_threads() // trainings)


def train_and_weigh(config: TrainConfig, folder: Path, *, overwrite: bool = False, sink: Sink | None = None) -> None:
    """Train in a folder, or go on there, and learn what each view of a record counts, as `manyview train` does."""
    weigher = record_weigher({path: Corpus.open(path) for path in config.corpora}, config.evaluate_split)
    sinks = [] if sink is None else [sink]
    train(config, folder, resume=not overwrite, overwrite=overwrite, sinks=sinks, weigher=weigher)


def train_side_by_side(
    configs: Mapping[Path, TrainConfig], sinks: Mapping[Path, Sink], *, threads: int, overwrite: bool = False
) -> None:
    """Train in each folder, or go on there, all at once, with so many threads each.

    The sinks are called in this process. A signal stops and saves all of them and raises Interrupted or Saved; the
    error of one stops and saves the others and is raised here; so does the end of this process, however it ends.
    """
    spawning = multiprocessing.get_context("spawn")
    running: dict[Connection, tuple[Path, BaseProcess]] = {}
    with catch_stop() as request:
        try:
            for folder, config in configs.items():
                heard, told = spawning.Pipe(duplex=False)
                process: BaseProcess = spawning.Process(target=_train, args=(config, folder, overwrite, threads, told))
                with _deaf_to_ctrl_c():
                    process.start()
                told.close()
                running[heard] = folder, process
            _listen(running, sinks, request)
        finally:
            for _, process in running.values():
                process.terminate()
    if request:
        stopped = Interrupted if request.signal == signal.SIGINT else Saved
        raise stopped("stopped and saved")


def _listen(
    running: dict[Connection, tuple[Path, BaseProcess]], sinks: Mapping[Path, Sink], request: StopRequest
) -> None:
    """Until all have ended; raises the first error."""
    failure: Exception | None = None
    asked = False
    while running:
        if (request or failure) and not asked:
            asked = True
            for _, process in running.values():
                process.terminate()  # not Ctrl-C, of which a terminal has sent them one already
        for of in connection.wait(list(running), _ASKED_EACH_S):
            assert isinstance(of, Connection)
            folder, process = running[of]
            try:
                said = of.recv()
            except EOFError:
                process.join()
                del running[of]
                if process.exitcode and not asked:
                    failure = ManyviewError(f"the training in {folder} ended with code {process.exitcode} and no word")
                continue
            if not isinstance(said, Exception):
                sinks[folder](said)
            elif not (asked and isinstance(said, Interrupted | Saved)):
                failure = failure or said
    if failure:
        raise failure


def _train(config: TrainConfig, folder: Path, overwrite: bool, threads: int, told: Connection) -> None:
    def tell(said: object) -> None:
        with suppress(BrokenPipeError):  # the parent is gone: this training is about to be told to save and end
            told.send(said)

    threading.Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(threads)
    try:
        train_and_weigh(config, folder, overwrite=overwrite, sink=tell)
    except ManyviewError as error:
        tell(error)
    except Exception as error:
        error.add_note(f"In the process that trains in {folder}:\n{traceback.format_exc()}")
        tell(error)


def _end_with_parent() -> None:
    """A signal like any other: the training saves and ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """For a process started meanwhile, until it asks for signals itself."""
    before = None
    with suppress(ValueError):  # not the main thread
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        if before is not None:
            signal.signal(signal.SIGINT, before)
