"""Laws of the loader: whatever happens to a worker has a name, and happens where a batch is waited for."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import pytest
import torch
from tests.waiting import eventually
from torch.utils.data import Dataset

from manyview.data import iterate
from manyview.errors import ManyviewError


class Steps(Dataset):
    """Batches that are their step; step `hangs` takes forever."""

    def __init__(self, hangs=None):
        self.hangs = hangs

    def __len__(self):
        return 100

    def __getitem__(self, step):
        if step == self.hangs:
            time.sleep(600)
        return step


def test_a_killed_worker_is_an_error_with_a_name():
    batches = iterate(Steps(), 0, 100, workers=2)
    assert next(batches) == 0
    os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
    time.sleep(0.5)  # the death arrives while the main process does something else, and disturbs nothing
    with pytest.raises(ManyviewError, match=r"loader worker \d+ was killed by signal 9 .*fewer workers"):
        list(batches)


class Tensors(Steps):
    """Batches that lie in shared memory, which the worker hands over by a connection of its own."""

    def __len__(self):
        return 100_000

    def __getitem__(self, step):
        return {"pixels": torch.zeros(1000), "lengths": torch.zeros(100)}


def test_a_worker_killed_at_any_moment_is_an_error_with_a_name():
    draw = random.Random(0)
    for _ in range(60):
        with closing(iterate(Tensors(), 0, 100_000, workers=1)) as batches:
            next(batches)
            worker = multiprocessing.active_children()[0].pid
            killer = threading.Timer(draw.uniform(0.0, 0.02), os.kill, (worker, signal.SIGKILL))
            killer.start()
            with pytest.raises(ManyviewError, match=f"loader worker {worker} was killed"):
                for _ in batches:
                    pass
            killer.join()


def test_a_silent_loader_is_an_error_with_a_name_and_leaves_no_process():
    batches = iterate(Steps(hangs=3), 0, 100, workers=1, patience_s=0.5)
    assert [next(batches) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ManyviewError, match=r"no batch for 0\.5 s \(step 4\)"):
        next(batches)
    time.sleep(0.5)
    assert not multiprocessing.active_children()


def test_workers_do_not_hear_the_signals_that_stop_a_run():
    batches = iterate(Steps(), 0, 40, workers=2)
    assert [next(batches), next(batches)] == [0, 1]  # both have begun
    for child in multiprocessing.active_children():
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1):
            os.kill(child.pid, number)
    assert list(batches) == list(range(2, 40))


def test_an_error_of_the_data_itself_stays_what_it_is():
    class Broken(Steps):
        def __getitem__(self, step):
            raise KeyError("no such column")

    with pytest.raises(KeyError, match="no such column") as raised:
        list(iterate(Broken(), 0, 5, workers=1))
    assert "in __getitem__" in "".join(raised.value.__notes__)  # where in the worker it happened


@pytest.mark.parametrize("how", ["", "del batches", "raise SystemExit", "batches.close()"])
def test_a_process_ends_whatever_its_workers_do(how):
    """Workers hear no signal: whoever leaves a loader that hangs must still be able to go."""
    code = (
        "import time\n"
        "from manyview.data import iterate\n"
        "from tests.data.test_loader import Steps\n"
        "batches = iterate(Steps(hangs=2), 0, 100, workers=2)\n"
        "assert next(batches) == 0\n"
        f"{how}\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], timeout=60, env={**os.environ, "PYTHONPATH": "src:."}, check=False
    )
    assert done.returncode == 0


@pytest.mark.parametrize("method", ["fork", "forkserver", pytest.param("spawn", marks=pytest.mark.slow)])
def test_workers_wait_for_their_process_and_end_with_it_however_they_were_started(method):
    done = subprocess.run(
        [sys.executable, "-m", "tests.data.waiting_loader", method],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": "src:."},
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    workers = [int(pid) for pid in done.stdout.split()]
    assert len(workers) == 2
    for pid in workers:
        eventually(lambda pid=pid: not runs(pid))


def runs(pid):
    """Whether a process is there, and not only its exit code, which nobody may have asked for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
