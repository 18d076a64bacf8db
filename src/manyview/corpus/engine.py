"""Engine: where a build runs: Daft on the cores of this machine, or Daft on a Ray cluster."""

from __future__ import annotations

import logging
import os
import pickle
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from manyview.errors import ManyviewError, UsageError

__all__ = ["Engine", "daft_module", "refusals_as_os_errors"]

Item = TypeVar("Item")
Result = TypeVar("Result")

_SILENT = {
    "DAFT_ANALYTICS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
    "DO_NOT_TRACK": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "SCARF_NO_ANALYTICS": "true",
}
_OS_ERROR = re.compile(r"\(os error (\d+)\)")


def daft_module() -> Any:
    """Daft, whose telemetry (and Ray's) is off before it is imported. Raises UsageError where it is not installed."""
    os.environ.update(_SILENT)
    try:
        import daft  # noqa: PLC0415  0.5 s, and the environment must be set first
    except ImportError:
        raise UsageError("building a corpus needs Daft: pip install 'manyview[build]'") from None
    return daft


@contextmanager
def refusals_as_os_errors() -> Iterator[None]:
    """Around queries: a disk that is full or may not be written to, of which Daft makes an error of its own."""
    try:
        yield
    except ValueError as error:  # which Daft's are
        number = _OS_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1]))) from error


@dataclass(frozen=True)
class Engine:
    """`local`: this machine. `ray`: the cluster at `address`, or the one that RAY_ADDRESS names, or a new local one."""

    name: Literal["local", "ray"] = "local"
    address: str | None = None
    processes: int | None = None  # local only: 1 works in this process; None: one a core

    def __post_init__(self) -> None:
        if self.processes not in (None, 1):
            raise UsageError(f"processes is {self.processes}, allowed: 1, or None for one a core")

    def start(self) -> Any:
        """Daft, told where to run. Raises UsageError without Ray, ManyviewError when no cluster answers."""
        daft = daft_module()
        if self.name == "local":
            os.environ["DAFT_RUNNER"] = "native"
            return daft
        try:
            import ray  # noqa: PLC0415  optional, and slow
        except ImportError:
            raise UsageError("--engine ray needs Ray: pip install 'manyview[ray]'") from None
        try:
            if not ray.is_initialized():
                ray.init(address=self.address, log_to_driver=False, logging_level=logging.ERROR)
            daft.set_runner_ray(noop_if_initialized=True)
        except (ConnectionError, OSError, RuntimeError, ValueError) as error:
            at = self.address or "the address of RAY_ADDRESS"
            raise ManyviewError(f"no Ray cluster answers at {at}: {' '.join(str(error).split())}") from None
        return daft

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """What a module's function gives for each item, in any order, each in a process of its own choosing.

        Items and results can be pickled. A worker of a cluster that dies is replaced and its items are given out
        again, so that the function must stand being called twice. ManyviewErrors and OSErrors are raised here.
        """
        if self.name == "local" and (len(items) <= 1 or self.processes == 1):
            yield from map(function, items)
            return
        daft = self.start()
        frame = daft.from_pydict({"item": [pickle.dumps(item) for item in items]})
        frame = frame.into_partitions(len(items)) if self.name == "ray" else frame.into_batches(1)
        with TemporaryDirectory(prefix="manyview-") as folder:
            stopped = Path(folder, "stopped")
            call = daft.func(_Pickled(function, stopped), return_dtype=daft.DataType.binary(), use_process=True)
            rows = frame.select(call(frame["item"]).alias("result")).iter_rows()
            try:
                yield from map(_result, rows)
            finally:
                stopped.touch()
                if self.name == "local":
                    _wait_for_what_is_under_way(rows)

    def run(self, units: Sequence[Callable[[], Result]]) -> Iterator[Result]:
        """What each unit gives, in their order."""
        found = dict(self.map(_numbered, list(enumerate(units))))
        return (found[number] for number in range(len(units)))


def _result(row: dict[str, bytes]) -> Any:
    """What a function gave. Raises what it raised."""
    result = pickle.loads(row["result"])
    if isinstance(result, ManyviewError | OSError):
        raise result
    return result


def _wait_for_what_is_under_way(rows: Iterator[Any]) -> None:
    """Daft's threads must end before the interpreter does, which they would abort."""
    with suppress(Exception):  # there is a better one to tell
        for _ in rows:
            pass


def _numbered(unit: tuple[int, Callable[[], Result]]) -> tuple[int, Result]:
    return unit[0], unit[1]()


@dataclass(frozen=True)
class _Pickled:
    """A function between bytes; what a user can mend comes back as a value, for Daft wraps what is raised."""

    function: Callable[[Any], Any]
    stopped: Path  # is there when nobody wants the results any more; on other machines it never is

    @property
    def __name__(self) -> str:
        return self.function.__name__

    def __call__(self, item: bytes) -> bytes:
        if self.stopped.exists():
            return pickle.dumps(None)
        try:
            return pickle.dumps(self.function(pickle.loads(item)))
        except ManyviewError as error:
            return pickle.dumps(error)
        except OSError as error:  # one of its kinds may need more to be made again
            return pickle.dumps(OSError(error.errno, error.strerror or str(error)))
