"""Laws of ending a build by the keyboard: at once, with one line, with nobody left behind."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.corpus.builder.cluster import pids, session, writers
from tests.corpus.builder.shop import build_command, config, picture, products, write_table

from manyview.config import save_config


@pytest.mark.slow
@pytest.mark.parametrize("whole_group", [True, False], ids=["from the keyboard", "by kill"])
def test_ctrl_c_ends_a_build_with_one_line_and_nobody_left(tmp_path: Path, whole_group: bool) -> None:
    rows = [{**row, "image": picture(number, 1200)} for number, row in enumerate(products(12))]
    write_table(tmp_path / "rows.parquet", rows)
    for number in range(8):
        write_table(tmp_path / f"part-{number}.parquet", [{**row, "sku": f"{n}"} for n in range(20) for row in rows])
    save_config(config(tmp_path / "part-*.parquet"), tmp_path / "build.yaml")
    command = build_command(tmp_path / "build.yaml", tmp_path / "out")
    environment = os.environ | {"PYTHONPATH": "src"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, start_new_session=True)
    try:
        end = time.monotonic() + 60
        while not (workers := writers(tmp_path / "out" / ".build" / "staged")):
            assert process.poll() is None
            assert time.monotonic() < end, "it never reads"
            time.sleep(0.05)
        assert process.pid not in workers
        (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    _, *lines = said.decode().splitlines()  # the first names the source
    assert lines in ([], ["interrupted"])
    assert process.returncode == 130
    end = time.monotonic() + 5
    while left := [pid for pid in pids() if session(pid) == process.pid]:
        assert time.monotonic() < end, left
        time.sleep(0.1)
