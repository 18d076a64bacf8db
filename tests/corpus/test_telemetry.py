"""Law: no library that a build uses calls anybody."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.corpus.builder.shop import build_command, config, products, write_table

from manyview.config import save_config

MONITOR = """
import os, socket

def watched(name, where):
    real = getattr(where, name)
    def call(*given, **named):
        address = given[-1] if name == "connect" else given
        host = address[0] if isinstance(address, tuple) else None
        if host not in (None, "", "localhost", "127.0.0.1", "::1"):
            with open(os.environ["CALLS"], "a") as log:
                log.write(f"{name} {host}\\n")
            raise OSError("nobody is called")
        return real(*given, **named)
    setattr(where, name, call)

watched("connect", socket.socket)
watched("connect_ex", socket.socket)
watched("getaddrinfo", socket)
"""


def calls(folder: Path, command: list[str]) -> list[str]:
    """Whom a command and the processes it starts would have called beyond this machine."""
    (folder / "monitor").mkdir(exist_ok=True)
    (folder / "monitor" / "sitecustomize.py").write_text(MONITOR)
    log = folder / "calls.txt"
    log.unlink(missing_ok=True)
    told = ("DAFT_", "RAY_", "DO_NOT_TRACK", "SCARF_")  # by a test before this one, in this process
    environment = {name: value for name, value in os.environ.items() if not name.startswith(told)}
    environment |= {"PYTHONPATH": os.pathsep.join([str(folder / "monitor"), "src"]), "CALLS": str(log)}
    subprocess.run(command, env=environment, check=True, capture_output=True, timeout=60)
    return log.read_text().splitlines() if log.exists() else []


@pytest.mark.slow
def test_a_build_by_several_processes_calls_nobody(tmp_path: Path) -> None:
    for number in range(3):
        write_table(tmp_path / f"part-{number}.parquet", products(4, seed=number))
    save_config(config(tmp_path / "part-*.parquet"), tmp_path / "build.yaml")
    assert calls(tmp_path, build_command(tmp_path / "build.yaml", tmp_path / "out")) == []
    assert (tmp_path / "out" / "manifest.json").is_file()


def test_daft_that_is_not_told_to_be_silent_is_heard_by_the_test_above(tmp_path: Path) -> None:
    code = "import time, daft; daft.from_pydict({'a': [1]}).collect(); time.sleep(1)"
    assert calls(tmp_path, [sys.executable, "-c", code])
