"""Folder: the images below a folder become features, by several processes."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from manyview.data.images import rendered
from manyview.device import choose_device
from manyview.errors import DataError, ManyviewError, UsageError
from manyview.imaging import READABLE_SUFFIXES, image_files
from manyview.model.dual_encoder import DualEncoder
from manyview.precision import Precision

__all__ = ["EncodedFolder", "encode_folder"]

_CHUNK = 256


@dataclass(frozen=True)
class EncodedFolder:
    """`features` [n, embed_dim] float32 of the images named by `names`, paths within the folder; `problems` names the
    others, with reasons."""

    names: list[str]
    features: np.ndarray
    problems: dict[str, str]


def encode_folder(
    model: str | Path,
    folder: str | Path,
    *,
    processes: int | None = None,
    precision: Precision = "float32",
    device: str = "auto",
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> EncodedFolder:
    """Features of every image below a folder, in the order of the names, whatever the number of processes.

    `device`: as for `choose_device`; several processes share it.
    `processes`: by default one a core; each has its part of the cores. `progress` is told (images done, of all).
    Raises UsageError for a folder without images, DataError when none of them can be decoded, ManyviewError when
    a process was killed.
    """
    folder = Path(folder)
    names = image_files(folder)
    if not names:
        raise UsageError(f"no images in {folder}, allowed: {', '.join(READABLE_SUFFIXES)}")
    chunks = [names[i : i + _CHUNK] for i in range(0, len(names), _CHUNK)]
    processes = min(processes or os.cpu_count() or 1, len(chunks))
    parts: list[np.ndarray] = []
    problems: dict[str, str] = {}
    done = 0
    try:
        with ExitStack() as stack:
            for part, wrong in _encoded(str(model), folder, chunks, processes, precision, device, stack):
                parts.append(part)
                problems |= wrong
                done += len(part) + len(wrong)
                progress(done, len(names))
    except BrokenProcessPool:
        raise ManyviewError("an encoding process was killed, perhaps for want of memory: try fewer processes") from None
    if len(problems) == len(names):
        name, reason = next(iter(problems.items()))
        raise DataError(f"none of the {len(names)} images in {folder} can be decoded; the first is {name}: {reason}")
    return EncodedFolder([name for name in names if name not in problems], np.concatenate(parts), problems)


def _encoded(
    model: str,
    folder: Path,
    chunks: Sequence[Sequence[str]],
    processes: int,
    precision: Precision,
    device: str,
    stack: ExitStack,
) -> Iterator[tuple[np.ndarray, dict[str, str]]]:
    if processes == 1:
        encoder = DualEncoder.from_pretrained(model).to(choose_device(device))
        return (_encode_chunk(encoder, folder, precision, chunk) for chunk in chunks)
    DualEncoder.from_pretrained(model).to(choose_device(device))  # what is wrong with it is said here
    threads = max(1, (os.cpu_count() or 1) // processes)
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (model, threads, device))
    stack.callback(pool.shutdown, cancel_futures=True)
    with _interrupts_ignored():
        return pool.map(partial(_encode_in_process, folder, precision), chunks)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes that start meanwhile print nothing when Ctrl-C meets them among their imports."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_MODEL: list[DualEncoder] = []


def _begin(model: str, threads: int, device: str) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it without a word
    torch.set_num_threads(threads)
    _MODEL.append(DualEncoder.from_pretrained(model).to(choose_device(device)))


def _encode_in_process(folder: Path, precision: Precision, names: Sequence[str]) -> tuple[np.ndarray, dict[str, str]]:
    return _encode_chunk(_MODEL[0], folder, precision, names)


def _encode_chunk(
    model: DualEncoder, folder: Path, precision: Precision, names: Sequence[str]
) -> tuple[np.ndarray, dict[str, str]]:
    """Features of those that can be decoded, and why the others cannot."""
    images, problems = list[Image.Image](), dict[str, str]()
    for name in names:
        try:
            images.append(Image.fromarray(rendered(folder / name, model.config.image.size)))
        except DataError as error:
            problems[name] = str(error)
    return model.encode_image(images, precision=precision).numpy(), problems
