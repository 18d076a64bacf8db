"""Laws of runs that die: killed at any moment, stopped, restarted, they end as if nothing had happened."""

import itertools
import os
import random
import signal
import time

import pytest
from tests.train.processes import descendants, finished, kill, training, wait_for_step

from manyview.train import RunFolder, read_metrics
from manyview.train.checkpoint import latest_checkpoint

STEPS = 24
LONG = (f"steps={STEPS}", "save_every=3", "workers=1", "tensorboard=false", "keep_checkpoints=1")


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    """The weights that a run ends with when nothing happens, by processes."""
    made = {}

    def of(config, processes):
        if processes not in made:
            out = tmp_path_factory.mktemp("whole") / "run"
            code, said = finished(config, out, processes=processes)
            assert code == 0, said
            made[processes] = weights(out)
        return made[processes]

    return of


def weights(out):
    return (RunFolder(out).model / "model.safetensors").read_bytes()


def killed_and_continued(config, out, processes, rng):
    """Killed at a random step, a random moment into it; then continued."""
    with training(config, out, processes=processes) as process:
        wait_for_step(process, out, rng.randrange(1, STEPS - 2))
        time.sleep(rng.random() * 0.1)
        kill(process)
    code, said = finished(config, out, "--resume", processes=processes)
    assert code == 0, said
    steps = [row["step"] for row in read_metrics(RunFolder(out).metrics)]
    assert steps == list(range(1, STEPS + 1))
    return weights(out)


@pytest.mark.parametrize(("seed", "processes"), [(0, 1), pytest.param(2, 2, marks=pytest.mark.slow)])
def test_a_killed_run_ends_with_the_bits_of_the_uninterrupted_one(config, tmp_path, uninterrupted, seed, processes):
    settings = config(*LONG)
    there = killed_and_continued(settings, tmp_path / "run", processes, random.Random(seed))
    assert there == uninterrupted(settings, processes)


@pytest.mark.slow
@pytest.mark.parametrize(("seed", "processes"), [*itertools.product(range(10, 20), [1, 2])])
def test_twenty_killed_runs_end_with_the_bits_of_the_uninterrupted_one(
    config, tmp_path, uninterrupted, seed, processes
):
    settings = config(*LONG)
    there = killed_and_continued(settings, tmp_path / "run", processes, random.Random(seed))
    assert there == uninterrupted(settings, processes)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGTERM, 75),
        pytest.param(signal.SIGUSR1, 75, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow),
    ],
)
def test_a_signal_to_one_process_or_all_saves_and_tells_how_to_go_on(config, tmp_path, uninterrupted, number, code):
    settings, out = config(*LONG), tmp_path / "run"
    with training(settings, out) as process:
        wait_for_step(process, out, 4)
        for pid in [process.pid, *descendants(process.pid)]:  # as a terminal or a batch system sends it
            os.kill(pid, number)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code
    assert "the same command and --resume" in said
    stopped = read_metrics(RunFolder(out).metrics)[-1]["step"]
    assert latest_checkpoint(RunFolder(out).checkpoints).step == stopped
    assert finished(settings, out, "--resume")[0] == 0
    assert weights(out) == uninterrupted(settings, 1)


def test_a_signal_in_the_first_moment_of_a_run_is_heard(config, tmp_path, uninterrupted):
    settings, out = config(*LONG), tmp_path / "run"
    with training(settings, out) as process:
        while not (out / "config.yaml").exists():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert finished(settings, out, "--resume")[0] == 0
    assert weights(out) == uninterrupted(settings, 1)


@pytest.mark.slow
def test_a_signal_to_one_of_two_processes_stops_both_at_one_step(config, tmp_path, uninterrupted):
    settings, out = config(*LONG), tmp_path / "run"
    with training(settings, out, processes=2) as process:
        wait_for_step(process, out, 4)
        ranks = [pid for pid in descendants(process.pid) if descendants(pid)]
        os.kill(ranks[-1], signal.SIGUSR1)
        _, said = process.communicate(timeout=60)
    assert said.count("and saved: continue with the same command and --resume") == 2
    assert latest_checkpoint(RunFolder(out).checkpoints).step == read_metrics(RunFolder(out).metrics)[-1]["step"]
    assert finished(settings, out, "--resume", processes=2)[0] == 0
    assert weights(out) == uninterrupted(settings, 2)


@pytest.mark.slow
def test_torchrun_restarts_a_run_that_lost_a_process(config, tmp_path, uninterrupted):
    settings, out = config(*LONG), tmp_path / "run"
    with training(settings, out, processes=2, restarts=1) as process:
        wait_for_step(process, out, 7)
        ranks = [pid for pid in descendants(process.pid) if descendants(pid)]
        os.kill(ranks[-1], signal.SIGKILL)
        _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert weights(out) == uninterrupted(settings, 2)
