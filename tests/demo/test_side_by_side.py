"""Laws of trainings side by side: the same bits as in turn, and nothing lost whatever ends one of them."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.train.conftest import TINY
from tests.train.processes import descendants, wait_for_step
from tests.waiting import eventually

from manyview.config import load_config
from manyview.demo.side_by_side import share_of_cores, train_side_by_side
from manyview.errors import ManyviewError, Saved, UsageError
from manyview.train import RunFolder, TrainConfig, recipe, train


def config(*settings: str) -> TrainConfig:
    return load_config(TrainConfig, None, [*TINY, *settings], recipe("many-view"))


def weights(folder: Path) -> bytes:
    return (folder / "model" / "model.safetensors").read_bytes()


def silent(*folders: Path) -> dict[Path, Callable[[Any], None]]:
    return dict.fromkeys(folders, lambda metrics: None)


def test_trainings_are_those_of_one_process_and_are_heard_here(tmp_path: Path) -> None:
    configs = {tmp_path / "a": config(), tmp_path / "b": config("seed=1")}
    steps: dict[Path, list[int]] = {folder: [] for folder in configs}
    sinks = {folder: lambda metrics, folder=folder: steps[folder].append(metrics["step"]) for folder in configs}
    train_side_by_side(configs, sinks, threads=1)
    assert all(found == [1, 2, 3, 4, 5, 6] for found in steps.values())
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train(configs[tmp_path / "b"], tmp_path / "alone")
    finally:
        torch.set_num_threads(before)
    assert weights(tmp_path / "b") == weights(tmp_path / "alone") != weights(tmp_path / "a")


def test_the_error_of_one_is_raised_and_the_other_is_saved(tmp_path: Path) -> None:
    configs = {tmp_path / "a": config("corpus=nowhere"), tmp_path / "b": config("steps=100000")}
    with pytest.raises(UsageError, match="nowhere"):
        train_side_by_side(configs, silent(*configs), threads=1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("whom", "number", "error", "sentence"),
    [
        ("one of them", signal.SIGKILL, ManyviewError, "ended with code -9 and no word"),
        ("this process", signal.SIGTERM, Saved, "stopped and saved"),
    ],
)
def test_what_ends_one_saves_the_other(
    tmp_path: Path, whom: str, number: int, error: type[Exception], sentence: str
) -> None:
    folders = tmp_path / "a", tmp_path / "b"

    def strike() -> None:
        for folder in folders:
            eventually(lambda folder=folder: RunFolder(folder).metrics.is_file())
        first = min(process.pid for process in multiprocessing.active_children() if process.pid)
        os.kill(os.getpid() if whom == "this process" else first, number)

    thread = threading.Thread(target=strike)
    thread.start()
    with pytest.raises(error, match=sentence):
        train_side_by_side(dict.fromkeys(folders, config("steps=100000")), silent(*folders), threads=1)
    thread.join()
    saved = [folder for folder in folders if any((folder / "checkpoints").glob("step-*"))]
    assert folders[1] in saved
    assert not multiprocessing.active_children()


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGKILL, -9)])
def test_a_signal_to_the_demo_leaves_nobody_and_both_trainings_saved(tmp_path: Path, number: int, code: int) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "manyview", "demo", "--out", str(out)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": "src"},
        start_new_session=True,
    )
    try:
        for name in ("caption-sampling", "many-view"):
            wait_for_step(process, out / name, 1)
        children = descendants(process.pid)
        if number == signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal does
        else:
            process.send_signal(number)
        _, said = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == code
    assert "Traceback" not in said
    if number != signal.SIGKILL:
        assert said.splitlines()[-1] == f"stopped and saved in {out}: run the same command again to continue"
    eventually(lambda: not [pid for pid in children if Path(f"/proc/{pid}").exists()])
    assert all(any((out / name / "checkpoints").glob("step-*")) for name in ("caption-sampling", "many-view"))


def test_cores_are_shared_where_there_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    assert share_of_cores(config(), 2) == 4
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert share_of_cores(config(), 2) == 1
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0})
    assert share_of_cores(config(), 2) is None
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(8)))
    assert share_of_cores(config("device=cuda"), 2) is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert share_of_cores(config(), 2) is None
