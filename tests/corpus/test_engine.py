"""Laws of the engine: every item is done, whoever does it, and what goes wrong is said."""

import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import eventually

from manyview.corpus.engine import Engine
from manyview.errors import DataError, ManyviewError

IMPORTS = os.environ | {"PYTHONPATH": os.pathsep.join(["src", "."])}
CALL = """
import pickle, sys
call = pickle.load(sys.stdin.buffer)
try:
    found = call(), None
except Exception as error:
    found = None, error
sys.stdout.buffer.write(pickle.dumps(found))
"""


def squared(number: int) -> int:
    """Of a module, so that other processes find it."""
    return number * number


def bad_data(number: int) -> int:
    """A file that the user can mend."""
    if number == 3:
        raise DataError("shard 3 is torn")
    return number


def with_a_bug(number: int) -> int:
    """Raises what nobody has thought of."""
    return {0: 0, 1: 1}[number]


class Unpicklable(Exception):
    """Cannot be told to another process as it is."""

    def __reduce__(self) -> str:
        raise TypeError("no")


def with_an_odd_bug(number: int) -> int:
    """Raises what cannot be pickled."""
    raise Unpicklable(f"number {number}")


def killed_once(item: tuple[Path, int]) -> int:
    """The first process that does number 2 dies of it."""
    folder, number = item
    if number == 2 and not (folder / "died").exists():
        (folder / "died").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def killed_always(number: int) -> int:
    """An item that no process survives."""
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def noting(item: tuple[Path, int]) -> None:
    """Say who works, then work for long."""
    folder, _ = item
    (folder / str(os.getpid())).touch()
    time.sleep(60)


def pair(number: int) -> tuple[int, int, int]:
    """A result, who found it, who asked for it."""
    return squared(number), os.getpid(), os.getppid()


def mapped(function: Callable[[Any], Any], items: Sequence[Any], processes: int | None = None) -> list[Any]:
    """All results, in the order in which they come."""
    return list(Engine(processes=processes).map(function, items))


def ran(units: Sequence[Callable[[], Any]], processes: int | None = None) -> list[Any]:
    """What the units give."""
    return list(Engine(processes=processes).run(units))


def elsewhere(call: Callable[[], Any]) -> Any:
    """What a call gives or raises in a process of its own, which prints nothing.

    Not in this one: Daft leaves the pipes of its workers open, and pytest would blame the test.
    """
    command = [sys.executable, "-c", CALL]
    done = subprocess.run(command, input=pickle.dumps(call), capture_output=True, env=IMPORTS, timeout=60, check=False)
    assert done.stderr.decode() == ""
    found, error = pickle.loads(done.stdout)
    if error is not None:
        raise error
    return found


@pytest.mark.parametrize("processes", [None, 1])
@pytest.mark.parametrize("count", [0, 1, 30])
def test_every_result_comes_exactly_once(processes: int | None, count: int) -> None:
    found = elsewhere(partial(mapped, squared, range(count), processes))
    assert sorted(found) == [number * number for number in range(count)]


def test_one_process_is_the_callers_and_several_are_its_children() -> None:
    assert {pid for _, pid, _ in mapped(pair, range(4), 1)} == {os.getpid()}
    found = elsewhere(partial(mapped, pair, range(8)))
    (parent,) = {parent for _, _, parent in found}
    assert parent not in {pid for _, pid, _ in found}


@pytest.mark.parametrize("processes", [None, 1])
def test_run_keeps_the_order_of_the_units(processes: int | None) -> None:
    units = [partial(squared, number) for number in range(12)]
    assert elsewhere(partial(ran, units, processes)) == [number * number for number in range(12)]


@pytest.mark.parametrize("processes", [None, 1])
def test_what_the_user_can_mend_comes_through_as_it_was_raised(processes: int | None) -> None:
    with pytest.raises(DataError, match=r"^shard 3 is torn$"):
        elsewhere(partial(mapped, bad_data, range(6), processes))


@pytest.mark.parametrize(("function", "kind"), [(with_a_bug, KeyError), (with_an_odd_bug, RuntimeError)])
def test_a_bug_keeps_its_traceback(function: Callable[[int], int], kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught:
        elsewhere(partial(mapped, function, range(3)))
    (note,) = caught.value.__notes__
    assert "test_engine.py" in note
    assert f"in {function.__name__}" in note


@pytest.mark.slow
def test_an_item_whose_process_is_killed_is_done_by_another(tmp_path: Path) -> None:
    items = [(tmp_path, number) for number in range(6)]
    assert sorted(elsewhere(partial(mapped, killed_once, items))) == list(range(6))
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_an_item_that_kills_every_process_is_an_error_and_not_an_endless_loop() -> None:
    with pytest.raises(ManyviewError, match="a worker process died 3 times in a row"):
        elsewhere(partial(mapped, killed_always, range(4)))


@pytest.mark.slow
@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_outlives_the_one_that_was_told_to_end(tmp_path: Path, sign: signal.Signals) -> None:
    code = (
        "from pathlib import Path; from manyview.corpus.engine import Engine; "
        "from tests.corpus.test_engine import noting; "
        f"list(Engine().map(noting, [(Path({str(tmp_path)!r}), n) for n in range(4)]))"
    )
    main = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL, env=IMPORTS)
    try:
        eventually(lambda: any(tmp_path.iterdir()), 20)
        main.send_signal(sign)
        assert main.wait(5) == (130 if sign == signal.SIGINT else -sign)
    finally:
        main.kill()
        main.wait()
    workers = [int(file.name) for file in tmp_path.iterdir()]
    eventually(lambda: not any(map(alive, workers)), 5)


def alive(pid: int) -> bool:
    """Whether there is such a process that can still do something."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_no_cluster_at_an_address_is_one_sentence_and_soon() -> None:
    pytest.importorskip("ray")
    for address in ("127.0.0.1:9", "ray://127.0.0.1:9", "nonsense"):
        start = time.monotonic()
        with pytest.raises(ManyviewError, match=f"^no Ray cluster answers at {address}: "):
            Engine("ray", address).start()
        assert time.monotonic() - start < 10


@pytest.mark.parametrize("says", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"", None], ids=["web", "hangs up", "silent"])
def test_another_service_at_the_address_is_no_cluster_and_is_noticed_soon(says: bytes | None) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                if says is None:
                    connection.recv(1 << 16)
                    time.sleep(7)
                connection.sendall(says or b"")

        threading.Thread(target=answer, daemon=True).start()
        start = time.monotonic()
        with pytest.raises(ManyviewError, match=r"^no Ray cluster answers at "):
            Engine("ray", f"127.0.0.1:{server.getsockname()[1]}").start()
        assert time.monotonic() - start < 10


def test_a_query_is_asked_again_when_a_worker_dies_over_it_and_given_up_after_three_times() -> None:
    errors: list[Exception] = []

    def query() -> str:
        if errors:
            raise errors.pop()
        return "found"

    died = RuntimeError("ray.exceptions.ActorDiedError: the actor died")
    errors[:] = [died] * 2
    assert Engine(processes=1).insist(query) == "found"
    errors[:] = [died] * 3
    with pytest.raises(ManyviewError, match=r"^a worker process died 3 times in a row"):
        Engine(processes=1).insist(query)
    errors[:] = [KeyError("a bug")]
    with pytest.raises(KeyError, match="a bug"):
        Engine(processes=1).insist(query)
