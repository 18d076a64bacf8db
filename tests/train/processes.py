"""A training as a command of its own, to be watched, signalled and killed."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from manyview.train import RunFolder, TrainConfig, read_metrics

DEADLINE_S = 120.0


@contextmanager
def training(config: TrainConfig, out: Path, *options: str, processes: int = 1, restarts: int = 0):
    """`manyview train` with that configuration, by torchrun when there are several processes."""
    file = out.with_suffix(".json")
    file.write_text(config.model_dump_json())  # JSON is YAML
    command = [sys.executable, "-m", "manyview"]
    if processes > 1:
        torchrun = ("--standalone", f"--nproc-per-node={processes}", f"--max-restarts={restarts}")
        command = [sys.executable, "-m", "torch.distributed.run", *torchrun, "-m", "manyview"]
    process = subprocess.Popen(
        [*command, "train", config.recipe, "--out", str(out), "-c", str(file), *options],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": "src"},
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill(process)
        process.wait()
        process.stderr.close()


def finished(config: TrainConfig, out: Path, *options: str, **how: int) -> tuple[int, str]:
    """The exit code and what was said on stderr."""
    with training(config, out, *options, **how) as process:
        _, said = process.communicate(timeout=DEADLINE_S)
        return process.returncode, said


def wait_for_step(process: subprocess.Popen, out: Path, step: int) -> None:
    """Wait until the run has written a line of this step or a later one."""
    deadline = time.monotonic() + DEADLINE_S
    while not any(row["step"] >= step for row in read_metrics(RunFolder(out).metrics)):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline, f"no step {step} in time"
        time.sleep(0.005)


def kill(process: subprocess.Popen) -> None:
    """SIGKILL for the process and all it has started."""
    for pid in [process.pid, *descendants(process.pid)]:
        with suppress(ProcessLookupError):
            os.kill(pid, 9)


def descendants(pid: int) -> Sequence[int]:
    """Children, and theirs."""
    try:
        children = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(one for child in children for one in descendants(child))]
