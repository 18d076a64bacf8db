"""Laws of the judgments that the benchmark of tags rests on."""

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def judgments() -> list[dict[str, str]]:
    with (BENCHMARKS / "tags.tsv").open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened, delimiter="\t"))


def test_fifty_different_images_are_judged_in_known_words() -> None:
    rows = judgments()
    assert len({(row["set"], row["id"]) for row in rows}) == len(rows) == 50
    assert {row["verdict"] for row in rows} == {"right", "near", "wrong"}
    assert {row["look"] for row in rows} == {"photograph", "drawing"}
    assert all(0.5 <= float(row["score"]) <= 1 for row in rows)


@pytest.mark.slow
def test_the_benchmark_says_their_shares() -> None:
    command = [sys.executable, str(BENCHMARKS / "tags.py")]
    told = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"}, check=True
    ).stdout
    count = Counter(row["verdict"] for row in judgments())
    first = next(line for line in told.splitlines() if "all" in line)
    assert f"{count['right'] / 50:.0%} (" in first
    assert f"{(count['right'] + count['near']) / 50:.0%} (" in first
