"""Laws of checkpoints: whole or not there, the newest whole one is taken, failures harm none."""

import resource
import subprocess
import sys

import pytest
import torch

from manyview.errors import DataError, ManyviewError
from manyview.train.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint

STATE = {"step": 3, "weights": torch.arange(5.0)}


def test_a_loaded_state_is_the_saved_one(tmp_path):
    path = save_checkpoint(tmp_path, 3, STATE, keep=2)
    loaded = load_checkpoint(path)
    assert loaded["step"] == 3
    assert torch.equal(loaded["weights"], STATE["weights"])
    assert (tmp_path / "latest").read_text().strip() == path.name == "step-000003"


def test_the_newest_are_kept(tmp_path):
    for step in (1, 5, 20):
        save_checkpoint(tmp_path, step, STATE, keep=2)
    assert sorted(p.name for p in tmp_path.glob("step-*")) == ["step-000005", "step-000020"]
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000020"


def test_an_unfinished_checkpoint_is_never_picked(tmp_path):
    save_checkpoint(tmp_path, 1, STATE, keep=2)
    (tmp_path / "step-000009.partial").mkdir()
    (tmp_path / "step-000009.partial" / "state.pt").write_bytes(b"half")
    (tmp_path / "step-000010").mkdir()
    assert latest_checkpoint(tmp_path) == tmp_path / "step-000001"
    assert latest_checkpoint(tmp_path / "nowhere") is None


def test_a_damaged_checkpoint_is_named(tmp_path):
    path = save_checkpoint(tmp_path, 1, STATE, keep=1)
    (path / "state.pt").write_bytes((path / "state.pt").read_bytes()[:100])
    with pytest.raises(DataError, match="step-000001 is damaged"):
        load_checkpoint(path)


def test_no_room_is_a_sentence_and_the_earlier_checkpoint_stays(tmp_path):
    save_checkpoint(tmp_path, 1, STATE, keep=2)
    code = (
        "import resource, sys, torch\n"
        "from pathlib import Path\n"
        "from manyview.errors import ManyviewError\n"
        "from manyview.train.checkpoint import save_checkpoint\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))\n"
        "try:\n"
        "    save_checkpoint(Path(sys.argv[1]), 2, {'weights': torch.zeros(100_000)}, keep=1)\n"
        "except ManyviewError as error:\n"
        "    print(error)\n"
    )
    assert resource.RLIMIT_FSIZE is not None
    said = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "cannot write the checkpoint" in said.stdout
    assert "earlier checkpoints are intact" in said.stdout
    assert load_checkpoint(latest_checkpoint(tmp_path))["step"] == 3
    assert [p.name for p in sorted(tmp_path.glob("step-*"))] == ["step-000001"]


def test_a_file_in_the_way_is_a_sentence(tmp_path):
    (tmp_path / "checkpoints").write_text("")
    with pytest.raises(ManyviewError, match="cannot write the checkpoint"):
        save_checkpoint(tmp_path / "checkpoints", 1, STATE, keep=1)
