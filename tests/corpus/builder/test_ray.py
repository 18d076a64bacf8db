"""Laws of building on a Ray cluster: the bytes that one machine leaves, whatever happens to the workers."""

import io
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.corpus.builder.cluster import cluster, command_line, free_port, kill, parent, pids, writers
from tests.corpus.builder.shop import (
    TABLE,
    build_command,
    config,
    content,
    glossary,
    picture,
    products,
    run_build,
    words,
    write_table,
)
from tests.waiting import eventually

from manyview.config import save_config
from manyview.corpus import Corpus

pytest.importorskip("ray")
pytestmark = pytest.mark.slow

WITHOUT_MANYVIEW = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "manyview":
            raise ModuleNotFoundError("No module named 'manyview'", name="manyview")

sys.meta_path.insert(0, Missing())
"""

DRIVER = {"RAY_AUTH_MODE": "disabled", "PYTHONPATH": "src", "OMP_NUM_THREADS": "1"}
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with cluster() as found:
        yield found


def run_on(address: str, file: Path, out: Path) -> subprocess.CompletedProcess[str]:
    """A build on a cluster, to its end."""
    command = build_command(file, out, "--engine", "ray", "--address", address)
    environment = os.environ | DRIVER
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=TIMEOUT_S, check=False)


def test_a_cluster_leaves_the_bytes_of_one_machine(tmp_path: Path, address: str) -> None:
    file = shop(tmp_path)
    here = run_build(file, tmp_path / "here", **DRIVER)
    done = run_on(address, file, tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert content(tmp_path / "here") == content(tmp_path / "there")
    kinds = {
        text.kind
        for split in Corpus.open(tmp_path / "there").splits
        for record in Corpus.open(tmp_path / "there").records(split)
        for text in record.texts
    }
    assert {"title", "tags", "query"} < kinds
    folders = {name.split("/")[0] for name in content(tmp_path / "here")}
    assert folders == {"data", "provenance", "manifest.json"}
    assert done.stderr == here


@pytest.mark.parametrize("whom", ["the process of the function", "its parent, the worker of Ray"])
def test_a_worker_killed_while_it_reads_costs_time_and_no_data(tmp_path: Path, address: str, whom: str) -> None:
    file = large_pictures(tmp_path)
    run_build(file, tmp_path / "here", **DRIVER)
    out = tmp_path / "there"
    command = build_command(file, out, "--engine", "ray", "--address", address)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | DRIVER)
    try:
        (worker, *_) = eventually(lambda: writers(out / ".build" / "staged"))
        victim = worker if whom.startswith("the process") else parent(worker)
        assert victim != process.pid
        kill(victim)
        assert process.poll() is None
        eventually(lambda: victim not in pids())
        _, said = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said.decode()
    assert content(tmp_path / "here") == content(out)


def test_workers_killed_while_it_plans_cost_time_and_no_data(tmp_path: Path, address: str) -> None:
    file = shop(tmp_path)
    run_build(file, tmp_path / "here", **DRIVER)
    out = tmp_path / "there"
    command = build_command(file, out, "--engine", "ray", "--address", address)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=os.environ | DRIVER)
    try:
        eventually(lambda: [*out.glob(".build/plan-*/by-id/*")])
        victims = eventually(lambda: [pid for pid in pids() if b"Swordfish" in command_line(pid)])
        for victim in victims:
            kill(victim)
        assert not [*out.glob(".build/plan-*/plan.pickle")]
        assert process.poll() is None
        _, said = process.communicate(timeout=TIMEOUT_S)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, said.decode()
    assert content(tmp_path / "here") == content(out)


def test_no_cluster_at_the_address_is_one_sentence(tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{free_port()}"
    start = time.monotonic()
    done = run_on(nowhere, shop(tmp_path), tmp_path / "out")
    assert time.monotonic() - start < 20
    assert done.returncode == 1
    (sentence,) = [line for line in done.stderr.splitlines() if "error" in line]
    assert sentence.startswith(f"error: no Ray cluster answers at {nowhere}: ")
    assert done.stderr.endswith(f"{sentence}\n")
    assert done.stdout == ""


def test_workers_that_cannot_import_manyview_are_named_in_one_sentence(tmp_path: Path) -> None:
    file = shop(tmp_path)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "sitecustomize.py").write_text(WITHOUT_MANYVIEW)
    with cluster(nodes=1, imports=str(tmp_path / "bare")) as bare:
        done = run_on(bare, file, tmp_path / "out")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1] == (
        f"error: the workers of the cluster at {bare} have no manyview: install it on every node"
    )


def shop(folder: Path) -> Path:
    """A table with pictures in files, one with pictures in cells, a tar, a glossary and a click log."""
    rows = products(30)
    for number in range(3):
        write_table(folder / f"part-{number}.parquet", [dict(row) for row in rows[number::3]])
    cells = [{**row, "sku": f"c{row['sku']}"} for row in products(12, seed=1)]
    pq.write_table(pa.Table.from_pylist(cells), folder / "cells.parquet")
    with tarfile.open(folder / "crawl.tar", "w") as tar:
        for number in range(12):
            add(tar, f"{number:04d}.jpg", picture(500 + number))
            add(tar, f"{number:04d}.txt", f"text {number}".encode())
    shown = range(600)
    log = {
        "query": [f"thing {n % 6}" for n in shown],
        "id": [f"p{n % 30}" for n in shown],
        "clicks": [n % 2 for n in shown],
    }
    pq.write_table(pa.table(log), folder / "log.parquet")
    sources = [
        {**TABLE, "path": str(folder / "part-*.parquet")},
        {**TABLE, "path": str(folder / "cells.parquet")},
        {"type": "webdataset", "path": str(folder / "crawl.tar")},
        glossary(folder / "words.jsonl", words(25)),
    ]
    scored = {"id": [f"p{n}" for n in range(30)], "text": [f"Thing number {n}" for n in range(30)]}
    scored["score"] = [n * 7 % 30 / 30 for n in range(30)]
    pq.write_table(pa.table(scored), folder / "scores.parquet", row_group_size=10)
    scores = {"table": str(folder / "scores.parquet"), "best_share": {"title": 0.6}}
    clicks = [{"path": str(folder / "log.parquet"), "impressions": None}]
    return saved(folder, sources=sources, clicks=clicks, clean={"scores": scores})


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """A member."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def large_pictures(folder: Path) -> Path:
    """Parts that take a second or two each to read."""
    rows = [{**row, "image": picture(number, 1200)} for number, row in enumerate(products(12))]
    write_table(folder / "rows.parquet", rows)
    for number in range(8):
        many = [{**row, "sku": f"{number}-{again}-{row['sku']}"} for again in range(8) for row in rows]
        write_table(folder / f"part-{number}.parquet", many)
    return saved(folder, tables=[folder / "part-*.parquet"])


def saved(folder: Path, tables: list[Path] = (), **more: Any) -> Path:
    """The file of a config."""
    save_config(config(*tables, **more), folder / "build.yaml")
    return folder / "build.yaml"
