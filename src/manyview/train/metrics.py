"""Metrics: what a run says of itself while it trains."""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from manyview.errors import ManyviewError
from manyview.terminal import encodable

__all__ = [
    "Metrics",
    "Sink",
    "jsonl_sink",
    "line_of",
    "log_line",
    "log_sink",
    "memory_mb",
    "peak_memory_mb",
    "read_evaluations",
    "read_metrics",
    "rewind",
]

Metrics = dict[str, Any]
Sink = Callable[[Metrics], None]


def jsonl_sink(file: Path) -> Sink:
    """Appends each metrics dict as one JSON line."""

    return lambda metrics: _append(file, json.dumps(metrics))


def log_sink(file: Path) -> Sink:
    """Appends each metrics dict as one line for a person."""

    return lambda metrics: log_line(file, line_of(metrics))


def log_line(file: Path, line: str) -> None:
    """Append a line with the time of day."""
    _append(file, f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {line}")


def read_metrics(file: str | Path) -> list[Metrics]:
    """The steps of a metrics.jsonl; a last line cut short by a crash is left out."""
    return [row for row in _rows(Path(file)) if "loss" in row]


def read_evaluations(file: str | Path) -> list[Metrics]:
    """The evaluations of a metrics.jsonl."""
    return [row for row in _rows(Path(file)) if "evaluation" in row]


def rewind(file: Path, step: int) -> None:
    """Drop the lines after `step`, which a resumed run writes again."""
    kept = "".join(json.dumps(row) + "\n" for row in _rows(file) if row["step"] <= step)
    partial = file.with_name(f"{file.name}.partial")
    partial.write_text(kept, encoding="utf-8")
    partial.replace(file)


def line_of(metrics: Metrics) -> str:
    """One line for a person."""
    step = f"step {metrics['step']}/{metrics['steps']}"
    if "evaluation" in metrics:
        return f"{step}  " + "  ".join(f"{name} {value:.4g}" for name, value in metrics["evaluation"].items())
    terms = "  ".join(f"{pair} {loss:.3f}" for pair, loss in metrics["terms"].items())
    told = [
        f"loss {metrics['loss']:.3f} ({terms})",
        f"scale {metrics['scale']:.1f}",
        f"lr {metrics['learning_rate']:.2e}",
        f"grad {metrics['grad_norm']:.2f}",
        f"{metrics['samples_per_second']:.0f} samples/s",
        f"waiting for data {metrics['data_wait']:.0%}",
        f"masked {max(metrics['masked'].values(), default=0.0):.1%}",
        f"memory {metrics['memory_now_mb']:.0f} MB",
    ]
    return "  ".join([step, *told])


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024.0 if sys.platform != "darwin" else 1024.0**2)


def memory_mb() -> float:
    """Memory in use: of the GPU where there is one, else resident of this process; in megabytes."""
    if torch.cuda.is_available():
        return torch.cuda.memory_allocated() / 1024**2
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:  # not Linux
        return peak_memory_mb()
    return pages * resource.getpagesize() / 1024**2


def _rows(file: Path) -> list[Metrics]:
    rows = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else []:
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return rows


def _append(file: Path, line: str) -> None:
    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(encodable(line) + "\n")
    except OSError as error:
        raise ManyviewError(f"cannot write to {file}: {error.strerror or error}; checkpoints are intact") from error
