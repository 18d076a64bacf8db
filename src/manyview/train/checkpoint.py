"""Checkpoints: a run's state on disk, whole or not there at all."""

import json
import os
import shutil
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch import Tensor
from torch.distributed.checkpoint import state_dict_loader, state_dict_saver
from torch.distributed.checkpoint.api import CheckpointException
from torch.distributed.checkpoint.filesystem import FileSystemReader, FileSystemWriter
from torch.distributed.checkpoint.metadata import TensorStorageMetadata

from manyview.distributed import World
from manyview.errors import DataError, ManyviewError

__all__ = ["Checkpoint", "Saver", "best_checkpoint", "latest_checkpoint"]

_MANIFEST = "manifest.json"
_LATEST, _BEST = "latest", "best"
_PARTIAL = ".partial"
_PREFIX = "step-"
_FORMAT = 1


@dataclass(frozen=True)
class Checkpoint:
    """A complete checkpoint: tensors in torch.distributed.checkpoint's files, all else in manifest.json."""

    path: Path

    @property
    def step(self) -> int:
        """The optimizer step it was taken after; names may be of any length, so that they are not to be sorted."""
        return int(self.path.name.removeprefix(_PREFIX))

    def plain(self) -> dict[str, Any]:
        """What is not a tensor."""
        state: dict[str, Any] = json.loads((self.path / _MANIFEST).read_bytes())["state"]
        return state

    def load(self, make: Callable[[str, tuple[int, ...], Any], Tensor], world: World) -> dict[str, Tensor]:
        """Every tensor by name, read into what `make(name, shape, dtype)` gives: sharded as that is, by any world.

        Raises DataError for damaged files.
        """
        _expect_one_process()
        try:
            reader = FileSystemReader(self.path)
            described = reader.read_metadata().state_dict_metadata
            tensors = {
                name: make(name, tuple(of.size), of.properties.dtype)
                for name, of in described.items()
                if isinstance(of, TensorStorageMetadata)
            }
            state_dict_loader.load(dict(tensors), storage_reader=reader, no_dist=world.size == 1)
        except ManyviewError:
            raise
        except (Exception, CheckpointException) as error:  # zip, pickle and torch each have their own
            raise DataError(
                f"the checkpoint {self.path} is damaged: remove it to continue from an earlier one"
            ) from error
        return tensors


def latest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest complete checkpoint, or None."""
    there = _complete(folder)
    return there[-1] if there else None


def best_checkpoint(folder: Path) -> Checkpoint | None:
    """The one that evaluation liked best, or None."""
    named = folder / _BEST
    name = named.read_text().strip() if named.is_file() else ""
    return next((one for one in _complete(folder) if one.path.name == name), None)


class Saver:
    """Writes checkpoints in the background, one at a time; training waits only while tensors are copied.

    A checkpoint is written under another name, flushed to the disk, listed in its manifest and renamed: what
    has the name is whole. Of the older ones the last `keep - 1` stay, and the best.
    """

    def __init__(self, folder: Path, world: World, keep: int) -> None:
        _expect_one_process()
        self._folder, self._world, self._keep = folder, world, keep
        self._group: Any = dist.new_group(backend="gloo") if world.size > 1 else None
        self._threads = ThreadPoolExecutor(1, "checkpoint")
        self._saved: int | None = None
        self._pending: Future[None] | None = None

    def save(self, step: int, tensors: Mapping[str, Tensor], plain: Mapping[str, Any], *, best: bool = False) -> None:
        """Begin to save; a collective, after the save before is on the disk (see `wait`)."""
        self.wait()
        if step == self._saved and not best:
            return
        self._saved = step
        final = self._folder / f"{_PREFIX}{step:06d}"
        partial = final.with_name(final.name + _PARTIAL)
        try:
            write = self._begin(FileSystemWriter(partial, sync_files=True), tensors)
        except (Exception, CheckpointException) as error:
            raise _refused(final, error) from error
        self._pending = self._threads.submit(self._finish, write, step, final, partial, dict(plain), best)

    def check(self) -> None:
        """Raise ManyviewError if the last save has failed; what was saved before is intact."""
        if self._pending is not None and self._pending.done():
            pending, self._pending = self._pending, None
            pending.result()

    def wait(self) -> None:
        """Wait until the last save is on the disk, and `check`."""
        if self._pending is not None:
            pending, self._pending = self._pending, None
            pending.result()

    def _begin(self, writer: FileSystemWriter, tensors: Mapping[str, Tensor]) -> Callable[[], object]:
        """Copy the tensors; what is returned writes them, or waits until they are written."""
        if self._world.size > 1:
            written: Any = state_dict_saver.async_save(dict(tensors), storage_writer=writer, process_group=self._group)
            return written.result  # type: ignore[no-any-return]
        copied = {name: of.detach().to("cpu", copy=True) for name, of in tensors.items()}
        return lambda: state_dict_saver.save(copied, storage_writer=writer, no_dist=True)

    def _finish(
        self, write: Callable[[], object], step: int, final: Path, partial: Path, plain: dict[str, Any], best: bool
    ) -> None:
        try:
            write()
            if self._world.rank > 0:
                return
            files = {file.name: file.stat().st_size for file in sorted(partial.iterdir())}
            manifest = {"format": _FORMAT, "step": step, "files": files, "state": plain}
            _write(partial / _MANIFEST, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
            _sync(partial)
            shutil.rmtree(final, ignore_errors=True)
            partial.rename(final)
            for pointer in (_LATEST, _BEST) if best else (_LATEST,):
                _write(self._folder / f"{pointer}{_PARTIAL}", final.name + "\n")
                (self._folder / f"{pointer}{_PARTIAL}").replace(self._folder / pointer)
            _sync(self._folder)
        except BaseException as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise _refused(final, error) from error
        for leftover in self._folder.glob(f"{_PREFIX}*{_PARTIAL}"):
            shutil.rmtree(leftover, ignore_errors=True)
        kept = best_checkpoint(self._folder)
        for old in _complete(self._folder)[: -self._keep]:
            if old != kept:
                shutil.rmtree(old.path, ignore_errors=True)


def _complete(folder: Path) -> list[Checkpoint]:
    """The complete checkpoints, in the order of their steps."""
    named = [path for path in folder.glob(f"{_PREFIX}*") if path.name.removeprefix(_PREFIX).isdecimal()]
    return sorted((Checkpoint(path) for path in named if _is_whole(path)), key=lambda checkpoint: checkpoint.step)


def _is_whole(path: Path) -> bool:
    """Whether the manifest is there, and every file that it lists has its size."""
    if not (path / _MANIFEST).is_file():
        return False
    try:
        files = json.loads((path / _MANIFEST).read_bytes())["files"]
        return all((path / name).stat().st_size == size for name, size in files.items())
    except (OSError, ValueError, KeyError):
        return False


def _expect_one_process() -> None:
    """torch warns at every save that a run of one process is one."""
    warnings.filterwarnings("ignore", "torch.distributed is disabled", UserWarning)


def _refused(final: Path, error: BaseException) -> ManyviewError:
    """The sentence for a disk that is full or closed; torch wraps what its processes met, and hides a full disk."""
    if isinstance(error, CheckpointException):
        error = next(met for met, _ in error.failures.values())
    reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    elif "inline_container" in reason or "PytorchStreamWriter" in reason:
        reason = "the disk is full, or a quota reached"
    return ManyviewError(f"cannot write the checkpoint {final}: {reason}; earlier checkpoints are intact")


def _write(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
