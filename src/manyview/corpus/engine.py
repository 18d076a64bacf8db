"""Engine: where a build runs: Daft on the cores of this machine, or Daft on a Ray cluster."""

from __future__ import annotations

import atexit
import collections
import logging
import os
import pickle
import re
import socket
import sys
import threading
import time
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

from manyview.errors import ExitCode, ManyviewError, UsageError

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
_ATTEMPTS = 3  # without a single result between them
_REACHED_WITHIN_S = 5
_HTTP2_SETTINGS = 4  # the type of the frame with which both sides of gRPC begin (RFC 9113, section 3.4)
_HTTP2_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _HTTP2_SETTINGS, 0, 0, 0, 0, 0])
_WATCHED_EACH_S = 0.25
_DIED = ("UDF process", "ActorDiedError", "WorkerCrashedError", "NodeDiedError", "ActorUnavailableError")
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
        for name in ("daft_local_execution", "daft.execution"):  # what they log is raised, too
            logging.getLogger(name).setLevel(logging.CRITICAL)
        if self.name == "local":
            os.environ["DAFT_RUNNER"] = "native"
            return daft
        try:
            import ray  # noqa: PLC0415  optional, and slow
        except ImportError:
            raise UsageError("--engine ray needs Ray: pip install 'manyview[ray]'") from None
        os.environ["DAFT_RUNNER"] = "ray"  # another value is complained of at each query
        if not ray.is_initialized():
            self._join(ray)
        daft.set_runner_ray(noop_if_initialized=True)
        return daft

    def _join(self, ray: Any) -> None:
        """Become a driver of the cluster; its workers keep quiet, too."""
        address = self.address or os.environ.get("RAY_ADDRESS")
        try:
            if address not in (None, "auto", "local"):
                _reach(str(address))
            ray.init(
                address=address,
                log_to_driver=False,
                logging_level=logging.CRITICAL,
                runtime_env={"env_vars": _SILENT},
            )
        except (ConnectionError, OSError, RuntimeError, ValueError, SystemExit) as error:  # Ray exits where none is
            at = address or "the address of RAY_ADDRESS"
            raise ManyviewError(f"no Ray cluster answers at {at}: {' '.join(str(error).split())}") from None

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
        """What a module's function gives for each item, in any order, each in a process of its own choosing.

        Items and results can be pickled. A worker that dies is replaced and what it had is given out again, so that
        the function must stand being called twice; an item that kills every worker raises ManyviewError. What the
        function raises is raised here, with its traceback as a note.
        """
        if self.name == "local" and (len(items) <= 1 or self.processes == 1):
            yield from map(function, items)
            return
        waiting, deaths = dict(enumerate(items)), 0
        while waiting:
            try:
                with closing(self._attempt(function, waiting)) as attempt:
                    for number, found in attempt:
                        del waiting[number]
                        deaths = 0
                        yield found.value()
            except _WorkerDied as death:
                deaths += 1
                _give_up_after(deaths, death)

    def insist(self, query: Callable[[], Result]) -> Result:
        """What the query gives, asked again when a worker dies over it. Raises ManyviewError as `map` does."""
        deaths = 0
        while True:
            try:
                return query()
            except Exception as error:
                spoken = _spoken(error, self.address)
                if spoken is error:
                    raise
                if not isinstance(spoken, _WorkerDied):
                    raise spoken from error
                deaths += 1
                _give_up_after(deaths, spoken)

    def _attempt(
        self, function: Callable[[Any], Any], items: Mapping[int, Any]
    ) -> Generator[tuple[int, _Returned | _Raised], None, None]:
        """Numbers of items and what became of them, until all are done or a worker dies."""
        daft = self.start()
        frame = daft.from_pydict({"item": [pickle.dumps(item) for item in items.items()]})
        frame = frame.into_partitions(len(items)) if self.name == "ray" else frame.into_batches(1)
        with ExitStack() as stack:
            lease = stack.enter_context(_lease()) if self.name == "local" else None
            pickled = _Pickled(function, lease)
            call = daft.func(pickled, return_dtype=daft.DataType.binary(), use_process=True)
            rows = frame.select(call(frame["item"]).alias("result")).iter_rows()
            try:
                for row in rows:
                    yield pickle.loads(row["result"])
            except KeyboardInterrupt:
                _end_without_finalizing()
                raise
            except GeneratorExit:
                _wind_down(rows, lease)
                raise
            except Exception as error:
                _wind_down(rows, lease)
                raise _spoken(error, self.address) from error

    def run(self, units: Sequence[Callable[[], Result]]) -> Iterator[Result]:
        """What each unit gives, in their order."""
        found = dict(self.map(_numbered, list(enumerate(units))))
        return (found[number] for number in range(len(units)))


class _WorkerDied(Exception):
    """A process ended in the middle of its work."""


def _give_up_after(deaths: int, death: _WorkerDied) -> None:
    """Raise ManyviewError when it is hopeless."""
    if deaths == _ATTEMPTS:
        raise ManyviewError(
            f"a worker process died {deaths} times in a row, as when memory runs out, "
            f"and took its work with it: {death}"
        ) from None


def _spoken(error: Exception, address: str | None) -> Exception:
    """What an error of Daft or Ray means; itself where that is not known."""
    said = f"{type(error).__name__}: {error}"
    if "No module named 'manyview" in said:
        at = address or "the address of RAY_ADDRESS"
        return ManyviewError(f"the workers of the cluster at {at} have no manyview: install it on every node")
    return _WorkerDied(said.splitlines()[-1]) if any(sign in said for sign in _DIED) else error


def _reach(address: str) -> None:
    """Raise OSError or ValueError soon where nobody or another service listens, for Ray itself waits for minutes."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not (host and port.isdecimal()):
        raise ValueError("allowed: HOST:PORT, ray://HOST:PORT, auto")
    with socket.create_connection((host, int(port)), timeout=_REACHED_WITHIN_S) as connection:
        if os.environ.get("RAY_USE_TLS", "0") != "0":
            return
        connection.sendall(_HTTP2_PREFACE)
        answer = connection.recv(9)
    if len(answer) < 4 or answer[3] != _HTTP2_SETTINGS:
        raise ConnectionError("what listens there does not speak Ray's protocol")


@dataclass(frozen=True)
class _Lease:
    """While the file is there and the process lives, those that it has started go on."""

    parent: int
    file: Path

    @property
    def holds(self) -> bool:
        return os.getppid() == self.parent and self.file.exists()


@contextmanager
def _lease() -> Iterator[_Lease]:
    with TemporaryDirectory(prefix="manyview-", ignore_cleanup_errors=True) as folder:
        file = Path(folder) / "lease"
        file.touch()
        yield _Lease(os.getpid(), file)


def _wind_down(rows: Iterator[Any], lease: _Lease | None) -> None:
    """End what still works on a local stream that nobody reads on: Daft's threads abort a process that ends sooner."""
    if lease is None:
        return
    lease.file.unlink(missing_ok=True)
    with suppress(Exception):
        collections.deque(rows, maxlen=0)
    time.sleep(2 * _WATCHED_EACH_S)  # the first death ends the rows, the other workers have as long to follow


@cache
def _end_without_finalizing() -> None:
    """Leave by os._exit when this process is done: Daft's threads still work, and abort one that is finalized."""

    def leave() -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(ExitCode.INTERRUPTED)

    atexit.register(leave)


def _numbered(unit: tuple[int, Callable[[], Result]]) -> tuple[int, Result]:
    return unit[0], unit[1]()


@dataclass(frozen=True)
class _Returned:
    result: Any

    def value(self) -> Any:
        return self.result


@dataclass(frozen=True)
class _Raised:
    error: Exception

    def value(self) -> Any:
        raise self.error


@dataclass(frozen=True)
class _Pickled:
    """A function between bytes; what it raises comes back as a value, so that what Daft raises is Daft's."""

    function: Callable[[Any], Any]
    lease: _Lease | None  # None where Ray starts those that call

    @property
    def __name__(self) -> str:
        return getattr(self.function, "__name__", type(self.function).__name__)

    def __call__(self, item: bytes) -> bytes:
        _leave_with(self.lease, os.getppid())
        number, given = pickle.loads(item)
        try:
            return pickle.dumps((number, _Returned(self.function(given))))
        except Exception as error:
            return pickle.dumps((number, _Raised(_portable(error))))


def _portable(error: Exception) -> Exception:
    """The error as another process can raise it, its traceback as a note unless its sentence is all that matters."""
    told = traceback.format_exc()
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    if not isinstance(error, ManyviewError):
        error.add_note(f"In a worker process:\n{told}")
    return error


@cache
def _leave_with(lease: _Lease | None, parent: int) -> None:
    """End this process soon after its lease, or after the process that started it, which may be killed."""

    def watch() -> None:
        while lease.holds if lease else os.getppid() == parent:
            time.sleep(_WATCHED_EACH_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
