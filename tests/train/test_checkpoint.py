"""Laws of checkpoints: whole or not there, the newest whole one is taken, failures harm none."""

import subprocess
import sys

import pytest
import torch

from manyview.distributed import ALONE
from manyview.errors import DataError, ManyviewError
from manyview.train.checkpoint import Saver, best_checkpoint, latest_checkpoint

PLAIN = {"seconds": 2.5, "bad": {"a": "broken"}}


def save(folder, *steps, keep=2, best=()):
    saver = Saver(folder, ALONE, keep)
    for step in steps:
        saver.save(step, {"weights": torch.arange(5.0) + step}, PLAIN, best=step in best)
    saver.wait()


def weights(checkpoint):
    return checkpoint.load(lambda name, shape, dtype: torch.zeros(shape, dtype=dtype), ALONE)["weights"]


def test_a_loaded_state_is_the_saved_one(tmp_path):
    save(tmp_path, 3)
    loaded = latest_checkpoint(tmp_path)
    assert (loaded.step, loaded.plain()) == (3, PLAIN)
    assert torch.equal(weights(loaded), torch.arange(5.0) + 3)
    assert (tmp_path / "latest").read_text().strip() == loaded.path.name == "step-000003"


def test_what_changes_while_it_is_written_is_saved_as_it_was(tmp_path):
    saver, moving = Saver(tmp_path, ALONE, 1), torch.zeros(2_000_000)
    saver.save(1, {"weights": moving}, PLAIN)
    moving.fill_(7)
    saver.wait()
    assert not weights(latest_checkpoint(tmp_path)).any()


def test_the_newest_are_kept_and_the_best(tmp_path):
    save(tmp_path, 1, 5, 20, 30, best=(5,))
    assert sorted(p.name for p in tmp_path.glob("step-*")) == ["step-000005", "step-000020", "step-000030"]
    assert latest_checkpoint(tmp_path).step == 30
    assert best_checkpoint(tmp_path).step == 5


def test_newer_is_the_larger_step_whatever_the_length_of_its_name(tmp_path):
    (tmp_path / "step-of-somebody-else").mkdir()
    save(tmp_path, 999_800, 999_999, 1_000_000, 1_000_200)
    assert latest_checkpoint(tmp_path).step == 1_000_200
    assert {p.name for p in tmp_path.glob("step-*0*")} == {"step-1000000", "step-1000200"}
    save(tmp_path, 10_000_000, best=(10_000_000,))
    save(tmp_path, 10_000_001, 10_000_002, 100_000_000)
    assert {p.name for p in tmp_path.glob("step-*0*")} == {"step-10000000", "step-10000002", "step-100000000"}
    assert best_checkpoint(tmp_path).step == 10_000_000


@pytest.mark.parametrize("harm", ["partial", "no manifest", "cut file", "cut manifest"])
def test_an_incomplete_checkpoint_is_never_picked(tmp_path, harm):
    save(tmp_path, 1, 9)
    newest = tmp_path / "step-000009"
    if harm == "partial":
        newest.rename(tmp_path / "step-000009.partial")
    elif harm == "no manifest":
        (newest / "manifest.json").unlink()
    else:
        file = newest / "manifest.json" if harm == "cut manifest" else next(newest.glob("*.distcp"))
        file.write_bytes(file.read_bytes()[:-9])
    assert latest_checkpoint(tmp_path).step == 1
    assert latest_checkpoint(tmp_path / "nowhere") is None


def test_a_report_of_a_failed_test_holds_no_call_log_of_torch(tmp_path, caplog):
    """torch logs every call of a save at DEBUG, on a logger of its own to which pytest listens too."""
    save(tmp_path, 4)
    assert not [record for record in caplog.records if record.name.startswith("c10d")]


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    (tmp_path / "step-000002.partial").mkdir()
    save(tmp_path, 4)
    assert not list(tmp_path.glob("*.partial"))


def test_a_damaged_checkpoint_is_named(tmp_path):
    save(tmp_path, 1)
    file = next((tmp_path / "step-000001").glob("*.distcp"))
    file.write_bytes(bytes(len(file.read_bytes())))
    with pytest.raises(DataError, match="step-000001 is damaged"):
        weights(latest_checkpoint(tmp_path))


def test_no_room_is_a_sentence_and_the_earlier_checkpoint_stays(tmp_path):
    save(tmp_path, 1)
    code = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from manyview.distributed import ALONE\n"
        "from manyview.errors import ManyviewError\n"
        "from manyview.train.checkpoint import Saver\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
        "saver = Saver(Path(sys.argv[1]), ALONE, 1)\n"
        "saver.save(2, {'weights': torch.zeros(100_000)}, {})\n"
        "try:\n"
        "    saver.wait()\n"
        "except ManyviewError as error:\n"
        "    print(error)\n"
    )
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot write the checkpoint" in said.stdout
    assert "the disk is full, or a quota reached; earlier checkpoints are intact" in said.stdout
    assert latest_checkpoint(tmp_path).step == 1
    assert [p.name for p in sorted(tmp_path.glob("step-*"))] == ["step-000001"]


def test_a_file_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(ManyviewError, match="cannot write the checkpoint"):
        save(tmp_path / "checkpoints", 1)
