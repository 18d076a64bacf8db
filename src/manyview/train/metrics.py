"""Metrics: what a run says of itself while it trains."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from manyview.errors import ManyviewError

__all__ = ["Metrics", "Sink", "jsonl_sink", "line_of", "log_sink", "peak_memory_mb", "read_metrics", "rewind"]

Metrics = dict[str, Any]
Sink = Callable[[Metrics], None]


def jsonl_sink(file: Path) -> Sink:
    """Appends each metrics dict as one JSON line."""

    return lambda metrics: _append(file, json.dumps(metrics))


def log_sink(file: Path) -> Sink:
    """Appends each metrics dict as one line for a person."""

    return lambda metrics: _append(file, f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line_of(metrics)}")


def read_metrics(file: Path) -> list[Metrics]:
    """The lines of a metrics.jsonl; a last line cut short by a crash is left out."""
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def rewind(file: Path, step: int) -> None:
    """Drop the lines after `step`, which a resumed run writes again."""
    kept = [row for row in read_metrics(file) if row["step"] <= step]
    file.write_text("".join(json.dumps(row) + "\n" for row in kept), encoding="utf-8")


def line_of(metrics: Metrics) -> str:
    """One line for a person."""
    return (
        f"step {metrics['step']}/{metrics['steps']}  loss {metrics['loss']:.3f}  scale {metrics['scale']:.1f}  "
        f"{metrics['samples_per_second']:.0f} samples/s  waiting for data {metrics['data_wait']:.0%}"
    )


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0 if sys.platform != "darwin" else 1024.0**2)


def _append(file: Path, line: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")
    except OSError as error:
        raise ManyviewError(f"cannot write to {file}: {error.strerror or error}; checkpoints are intact") from error
