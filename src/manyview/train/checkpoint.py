"""Checkpoints: a run's state on disk, whole or not there at all."""

import os
import shutil
from pathlib import Path
from typing import Any

import torch

from manyview.errors import DataError, ManyviewError

__all__ = ["latest_checkpoint", "load_checkpoint", "save_checkpoint"]

_STATE = "state.pt"
_LATEST = "latest"
_PARTIAL = ".partial"


def save_checkpoint(folder: Path, step: int, state: dict[str, Any], keep: int) -> Path:
    """Write `state` as folder/step-NNNNNN and point `latest` at it; of the older ones `keep - 1` stay.

    The checkpoint appears under its name only when it is on the disk; a failure leaves the earlier ones
    as they were. Raises ManyviewError when the disk refuses.
    """
    name = f"step-{step:06d}"
    final, partial = folder / name, folder / f"{name}{_PARTIAL}"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with (partial / _STATE).open("wb") as file:
            torch.save(state, file)
            file.flush()
            os.fsync(file.fileno())
        shutil.rmtree(final, ignore_errors=True)
        partial.rename(final)
        pointer = folder / f"{_LATEST}{_PARTIAL}"
        pointer.write_text(name + "\n")
        pointer.replace(folder / _LATEST)
        _sync(folder)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
        shutil.rmtree(partial, ignore_errors=True)
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        raise ManyviewError(f"cannot write the checkpoint {final}: {reason}; earlier checkpoints are intact") from error
    for old in _complete(folder)[:-keep]:
        shutil.rmtree(old, ignore_errors=True)
    return final


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint, or None."""
    there = _complete(folder)
    return there[-1] if there else None


def load_checkpoint(path: Path) -> dict[str, Any]:
    """The state of a checkpoint, on the CPU. Raises DataError for a damaged one."""
    try:
        state: dict[str, Any] = torch.load(path / _STATE, map_location="cpu", weights_only=True)
    except Exception as error:  # zip, pickle and torch each have their own
        raise DataError(f"the checkpoint {path} is damaged: remove it to continue from an earlier one") from error
    return state


def _complete(folder: Path) -> list[Path]:
    return sorted(p for p in folder.glob("step-*") if p.suffix != _PARTIAL and (p / _STATE).is_file())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
