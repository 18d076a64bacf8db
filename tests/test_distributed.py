"""Laws of the world: who is who, from torchrun's words or Slurm's, and what one has to say all hear."""

import time
from datetime import timedelta

import pytest
from tests.objective.worlds import in_world

from manyview.distributed import ALONE, World, _described, _device_index
from manyview.errors import DataError, UsageError

SLURM = {
    "SLURM_STEP_NUM_TASKS": "16",
    "SLURM_PROCID": "9",
    "SLURM_LOCALID": "1",
    "SLURM_JOB_ID": "1234567",
    "SLURM_STEP_NODELIST": "gpu[003-004,017]",
}


def test_without_a_launcher_there_is_one_process(monkeypatch):
    for name in ("WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    assert World.join() is ALONE


def test_torchruns_words_are_taken_as_they_are():
    told = {"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "a", "MASTER_PORT": "1"}
    assert _described(told | SLURM) == told


def test_slurms_words_are_translated():
    assert _described(SLURM) == {
        "RANK": "9",
        "LOCAL_RANK": "1",
        "WORLD_SIZE": "16",
        "MASTER_ADDR": "gpu003",
        "MASTER_PORT": str(20_000 + 1234567 % 20_000),
    }
    assert _described(SLURM | {"MASTER_PORT": "99"})["MASTER_PORT"] == "99"
    assert _described(SLURM | {"SLURM_STEP_NUM_TASKS": "1"}) == {}


@pytest.mark.parametrize(
    ("nodes", "first"), [("node1", "node1"), ("a1,a2", "a1"), ("n[3]-ib,b", "n3-ib"), ("r[1-2,9]c", "r1c")]
)
def test_the_first_node_of_slurms_lists(nodes, first):
    assert _described(SLURM | {"SLURM_STEP_NODELIST": nodes})["MASTER_ADDR"] == first


def test_a_half_described_world_is_a_sentence(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(UsageError, match="RANK is not set: start with torchrun or srun"):
        World.join()


def speak(world):
    """Every way to say something, and to fail."""
    said = [world.tell(world.rank), world.first(lambda: f"by {world.rank}"), world.together(lambda: world.rank)]

    def fail_on(rank, error):
        def make():
            if world.rank == rank:
                raise error

        return make

    for ask in (
        lambda: world.together(fail_on(1, DataError("torn"))),
        lambda: world.first(fail_on(0, UsageError("none"))),
    ):
        try:
            ask()
        except (DataError, UsageError) as error:
            said.append(f"{type(error).__name__}: {error}")
    return said


def test_what_one_process_says_or_fails_at_all_hear():
    for rank, said in enumerate(in_world(2, speak)):
        assert said == [[0, 1], "by 0", rank, "DataError: process 1: torn", "UsageError: none"]


def device_indices(count, local_size, **environment):
    """The GPU of each process of a machine, when each sees `count`."""
    return [_device_index(environment | {"LOCAL_RANK": str(rank)}, count) for rank in range(local_size)]


def test_processes_that_see_all_gpus_take_one_each():
    assert device_indices(4, 4) == device_indices(8, 4) == [0, 1, 2, 3]
    assert device_indices(4, 4, SLURM_GPUS_PER_TASK="1") == [0, 1, 2, 3]  # with --gpu-bind=none


def test_a_process_that_sees_only_its_own_gpus_takes_the_first():
    assert device_indices(1, 4, SLURM_GPUS_PER_TASK="1") == device_indices(1, 4) == [0, 0, 0, 0]
    assert device_indices(2, 4, SLURM_GPUS_PER_TASK="2")[2:] == [0, 0]


@pytest.mark.parametrize(("count", "environment"), [(1, {"TORCHELASTIC_RUN_ID": "x"}), (2, {}), (0, {})])
def test_more_processes_than_gpus_are_refused(count, environment):
    with pytest.raises(UsageError, match=rf"has no GPU: {count} visible"):
        device_indices(count, 4, **environment)


def wait_long(world):
    """Process 0 takes longer than any collective may."""

    def make():
        time.sleep(4)
        return "made"

    return [world.first(make), *world.tell(world.rank)]


def test_processes_wait_for_the_first_longer_than_a_collective_may_take():
    assert in_world(2, wait_long, timeout=timedelta(seconds=2)) == [["made", 0, 1]] * 2
