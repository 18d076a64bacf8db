"""A Ray cluster of this machine: a head that works at nothing, and nodes that do."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_QUIET = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}
_START = [sys.executable, "-m", "ray.scripts.scripts", "start", "--disable-usage-stats"]
_MEMORY = "--object-store-memory=200000000"


@contextmanager
def cluster(nodes: int = 2, imports: str = "src") -> Iterator[str]:
    """The address of a cluster whose nodes have one core each and import from `imports`; only it is ended."""
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))  # short: sockets have paths of 107 characters at most
    environment = os.environ | _QUIET | {"PYTHONPATH": imports and str(Path(imports).absolute())}
    started: list[int] = []
    try:
        ports = [f"--port={free_port()}", f"--ray-client-server-port={free_port()}"]
        head = ["--head", "--num-cpus=0", *ports, "--include-dashboard=false", f"--temp-dir={folder}"]
        said = _start([*head, _MEMORY], environment, folder, started)
        (address,) = re.findall(r"--address='([\d.]+:\d+)'", said)
        for _ in range(nodes):
            _start([f"--address={address}", "--num-cpus=1", _MEMORY], environment, folder, started)
        yield address
    finally:
        _end(started)
        shutil.rmtree(folder, ignore_errors=True)


def _start(options: list[str], environment: Mapping[str, str], folder: Path, started: list[int]) -> str:
    """What `ray start` says; its processes are a session of their own."""
    log = folder / f"start-{len(started)}.log"
    with log.open("wb") as handle:  # not a pipe, which its processes would keep open
        process = subprocess.Popen(
            [*_START, *options],
            stdout=handle,
            stderr=handle,
            stdin=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        started.append(process.pid)
        try:
            code = process.wait(90)
        finally:
            process.kill()
            process.wait()
    assert code == 0, log.read_text()
    return log.read_text()


def _end(sessions: list[int]) -> None:
    """End all processes of these sessions."""
    deadline = time.monotonic() + 20
    while (members := [pid for pid in pids() if session(pid) in sessions]) and time.monotonic() < deadline:
        for pid in members:
            kill(pid)
        time.sleep(0.2)
    assert not members


def kill(pid: int) -> None:
    """At once, if it is there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def pids() -> list[int]:
    """All processes that are alive."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal() and _state(entry) != "Z"]


def session(pid: int) -> int | None:
    """The session a process belongs to."""
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None


def parent(pid: int) -> int:
    """Who started a process."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def command_line(pid: int) -> bytes:
    """How a process calls itself, nothing for one that is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def writers(folder: Path) -> list[int]:
    """Processes that have a file below a folder open."""
    return [pid for pid in pids() if any(file.is_relative_to(folder) for file in _open_files(pid))]


def _open_files(pid: int) -> Iterator[Path]:
    try:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            yield entry.readlink()
    except OSError:
        return


def _state(entry: Path) -> str:
    try:
        return (entry / "stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


def free_port() -> int:
    """One that nobody listens at."""
    with socket.socket() as open_socket:
        open_socket.bind(("127.0.0.1", 0))
        port: int = open_socket.getsockname()[1]
        return port
