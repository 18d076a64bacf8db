"""Laws of devices: one function chooses, every verb that computes features has --device, a wrong one is a sentence."""

import inspect
import re
from pathlib import Path

import pytest
import torch
import typer

from manyview.cli import app
from manyview.device import choose_device
from manyview.errors import UsageError

SOURCE = Path(__file__).parents[1] / "src" / "manyview"
COMPUTES = re.compile(r"\b(from_pretrained|encode_folder|tags\.run)\b")


def verbs():
    return dict(typer.main.get_command(app).commands)


def test_every_verb_that_computes_features_takes_a_device():
    computing = {name for name, verb in verbs().items() if COMPUTES.search(inspect.getsource(verb.callback))}
    assert {"evaluate", "search", "embed", "score", "tag"} <= computing
    for name in computing:
        assert "--device" in {option for parameter in verbs()[name].params for option in parameter.opts}, name


@pytest.mark.parametrize("name", ["nonsense", "cuda:99", "meta", ""])
def test_a_device_that_cannot_be_used_is_refused(name):
    with pytest.raises(UsageError, match=rf"device={name} cannot be used here .*allowed: auto, cpu, cuda"):
        choose_device(name)


def test_auto_is_a_gpu_where_there_is_one(monkeypatch):
    assert choose_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", lambda *_, device: torch.ones(1))
    assert choose_device() == torch.device("cuda")


def test_devices_are_chosen_in_one_place():
    choosing = [
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if "torch.device(name" in file.read_text(encoding="utf-8")
    ]
    assert choosing == ["device.py"]
