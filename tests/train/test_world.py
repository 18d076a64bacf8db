"""Laws of training by several processes: as one process does, whichever engine, and to the bit when resumed."""

import pytest
import torch
from tests.objective.worlds import in_world

from manyview import DualEncoder
from manyview.train import RunFolder, read_metrics, train

STEPS = ("steps=30", "optimizer.warmup_steps=5", "save_every=100", "batch_size=10")


def run(world, config, out, resume=False):
    """In a process of a world."""
    train(config, out, world=world, resume=resume)


def run_all(world, configs, out):
    """Each config, one behind the other, in a process of a world."""
    for number, config in enumerate(configs):
        run(world, config, out / str(number))


def weights(out):
    return DualEncoder.from_pretrained(out).state_dict()


def losses(out):
    return torch.tensor([row["loss"] for row in read_metrics(RunFolder(out).metrics)])


def distance(a, b):
    return max(((a[name] - b[name]).norm() / (b[name].norm() + 1e-6)).item() for name in b)


@pytest.fixture(scope="module")
def alone(tmp_path_factory, corpus):
    """What one process makes of each setting."""
    made = {}

    def of(config):
        key = config.model_dump_json()
        if key not in made:
            made[key] = tmp_path_factory.mktemp("alone") / "run"
            train(config, made[key])
        return made[key]

    return of


@pytest.mark.parametrize("size", [2, pytest.param(4, marks=pytest.mark.slow)])
@pytest.mark.parametrize("parallel", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_many_processes_train_as_one_does(config, tmp_path, alone, size, parallel):
    """Sums in another order differ by float32's rounding. Six steps keep that; of a gradient near zero AdamW makes a
    step of full length, so that thirty may make more of it, on one processor or another."""
    short, long = (config(*STEPS, f"steps={steps}", "precision=float32") for steps in (6, 30))
    in_world(
        size, run_all, [settings.model_copy(update={"parallel": parallel}) for settings in (short, long)], tmp_path
    )
    for settings, name, loss_error, weight_error in ((short, "0", 1e-5, 1e-4), (long, "1", 1e-3, 1e-2)):
        one = alone(settings)
        torch.testing.assert_close(losses(tmp_path / name), losses(one), atol=loss_error, rtol=loss_error)
        assert distance(weights(tmp_path / name), weights(one)) < weight_error


def test_two_processes_train_in_bfloat16_as_one_does_within_its_rounding(config, tmp_path):
    """Each process rounds its part of the gradient to bfloat16 (2^-9) before the parts are added."""
    settings = config("precision=bfloat16", "batch_size=10")
    train(settings, tmp_path / "one")
    in_world(2, run, settings, tmp_path / "two")
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    torch.testing.assert_close(two[0], one[0], atol=0, rtol=2**-9)
    torch.testing.assert_close(two, one, atol=0, rtol=2**-4)  # six steps of the optimizer amplify it
