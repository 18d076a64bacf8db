"""Laws of what a run may be told: how it is run changes nothing, what is averaged or kept is what it says."""

import json
import math
import os

import pytest
import torch
from tests.objective.worlds import in_world

from manyview import DualEncoder
from manyview.config import load_config
from manyview.distributed import ALONE
from manyview.errors import UsageError
from manyview.evaluate import figures
from manyview.train import RunFolder, TrainConfig, dry_run, read_metrics, recipe, train
from manyview.train.checkpoint import best_checkpoint
from manyview.train.ema import Average
from manyview.train.metrics import read_evaluations


def weights(out):
    return DualEncoder.from_pretrained(out).state_dict()


def assert_same(a, b, **tolerance):
    for name, of in a.items():
        torch.testing.assert_close(of, b[name], msg=lambda said, name=name: f"{name}: {said}", **tolerance)


@pytest.mark.parametrize("how", ["activation_checkpointing=true", "workers=3", "log_every=5"])
def test_how_a_run_is_run_changes_nothing(config, tmp_path, how):
    train(config(), tmp_path / "plain")
    train(config(how), tmp_path / "told")
    assert_same(weights(tmp_path / "plain"), weights(tmp_path / "told"), atol=0, rtol=0)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute:UserWarning")  # torch's compiler looks at itself
def test_compiled_layers_train_as_plain_ones(config, tmp_path):
    train(config("steps=2", "precision=float32"), tmp_path / "plain")
    train(config("steps=2", "precision=float32", "compile=true"), tmp_path / "compiled")
    assert_same(weights(tmp_path / "plain"), weights(tmp_path / "compiled"), atol=1e-4, rtol=1e-3)


def test_what_says_how_may_differ_when_a_run_is_resumed(config, tmp_path):
    whole = train(config(), tmp_path / "whole")
    train(config("workers=0", "log_every=2"), tmp_path / "run")
    for checkpoint in RunFolder(tmp_path / "run").checkpoints.glob("step-000006"):
        (checkpoint / "manifest.json").unlink()  # the last one was not finished
    train(config("workers=1", "save_every=1", "keep_checkpoints=5"), tmp_path / "run", resume=True)
    assert_same(whole.state_dict(), weights(tmp_path / "run"), atol=0, rtol=0)
    with pytest.raises(UsageError, match="another batch_size"):
        train(config("batch_size=9"), tmp_path / "run", resume=True)


def run(world, config, out, resume=False):
    """In a process of a world."""
    train(config, out, world=world, resume=resume)


def stop_at(step):
    def stop(metrics):
        if metrics["step"] == step:
            raise InterruptedError

    return stop


def evaluated(world, config, corpus, out):
    """Trained and evaluated by processes of a world."""
    from manyview.corpus import Corpus

    there = {"": Corpus.open(corpus)}
    train(config, out, world=world, evaluator=lambda model, world: figures(model, there, "test", world))


@pytest.mark.slow
def test_a_sharded_model_is_evaluated_while_it_trains(config, corpus, tmp_path):
    settings = ("evaluate_every=3", "parallel=fsdp", "precision=float32")
    in_world(2, evaluated, config(*settings), corpus, tmp_path / "two")
    evaluated(ALONE, config(*settings), corpus, tmp_path / "one")
    one, two = (read_evaluations(tmp_path / name / "metrics.jsonl") for name in ("one", "two"))
    assert [row["step"] for row in two] == [3, 6]
    for a, b in zip(one, two, strict=True):
        assert a["evaluation"] == pytest.approx(b["evaluation"], abs=1e-3)


@pytest.mark.parametrize(
    ("before", "after", "parallel"), [(1, 2, "ddp"), pytest.param(2, 1, "fsdp", marks=pytest.mark.slow)]
)
def test_a_run_is_resumed_by_another_number_of_processes(config, tmp_path, before, after, parallel):
    settings = ("steps=12", "optimizer.warmup_steps=5", f"parallel={parallel}", "precision=float32")
    train(config(*settings), tmp_path / "whole")
    first = config(*settings, "save_every=6")
    if before == 1:
        with pytest.raises(InterruptedError):
            train(first, tmp_path / "run", sinks=[stop_at(8)])
    else:
        in_world(before, run, first, tmp_path / "run")
        (RunFolder(tmp_path / "run").checkpoints / "step-000012" / "manifest.json").unlink()
    in_world(after, run, first, tmp_path / "run", True)
    losses = [[row["loss"] for row in read_metrics(tmp_path / name / "metrics.jsonl")] for name in ("whole", "run")]
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)
    assert len(losses[1]) == 12
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "run"), atol=1e-4, rtol=1e-3)


def test_the_average_is_that_of_the_definition_and_is_what_is_kept(config, tmp_path):
    model = torch.nn.Linear(1, 1, bias=False)
    average, by_hand = Average(model, 0.8), model.weight.item()
    for step in range(20):
        with torch.no_grad():
            model.weight.fill_(step)
        average.update(step)
        decay = min(0.8, (1 + step) / (10 + step))
        by_hand = decay * by_hand + (1 - decay) * step
    assert average.weights["weight"].item() == pytest.approx(by_hand)
    with average.in_use():
        assert model.weight.item() == pytest.approx(by_hand)
    assert model.weight.item() == 19

    train(config("ema_decay=0.9"), tmp_path / "averaged")
    train(config(), tmp_path / "plain")
    a, b = weights(tmp_path / "averaged"), weights(tmp_path / "plain")
    assert any(not torch.equal(of, b[name]) for name, of in a.items())
    with pytest.raises(InterruptedError):
        train(config("ema_decay=0.9"), tmp_path / "parts", sinks=[stop_at(5)])
    train(config("ema_decay=0.9"), tmp_path / "parts", resume=True)
    assert_same(a, weights(tmp_path / "parts"), atol=0, rtol=0)


def test_the_best_checkpoint_is_that_of_the_best_score_and_can_be_what_is_kept(config, tmp_path):
    scores = iter([1.0, 7.0, 3.0])
    at_best = {}

    def judge(model, world):
        score = next(scores)
        if score == 7:
            at_best.update({name: of.clone() for name, of in model.state_dict().items()})
        return {"score": score, "other": 0.0}

    settings = config("evaluate_every=2", "keep_best=true", "keep_checkpoints=1")
    train(settings, tmp_path / "run", evaluator=judge)
    assert best_checkpoint(tmp_path / "run" / "checkpoints").step == 4
    assert_same(at_best, weights(tmp_path / "run"), atol=0, rtol=0)
    told = read_evaluations(tmp_path / "run" / "metrics.jsonl")
    assert [(row["step"], row["evaluation"]["score"]) for row in told] == [(2, 1.0), (4, 7.0), (6, 3.0)]


def judged(world, folder, out):
    """Figures of a model, by all processes of a world."""
    from manyview.corpus import Corpus

    return figures(DualEncoder.from_pretrained(out), {"": Corpus.open(folder)}, "test", world)


def test_all_processes_evaluate_what_one_does(config, corpus, tmp_path):
    train(config("steps=20"), tmp_path / "run")
    alone = judged(ALONE, corpus, tmp_path / "run")
    assert alone["score"] > 0
    for told in in_world(2, judged, corpus, tmp_path / "run"):
        assert told == pytest.approx(alone, abs=1e-4)


def test_tensorboard_gets_every_number(config, tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    train(config("evaluate_every=6"), tmp_path / "run", evaluator=lambda model, world: {"score": 5.0})
    events = EventAccumulator(str(tmp_path / "run" / "tb"))
    events.Reload()
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    for name in ("loss", "scale", "grad_norm"):
        assert [e.value for e in events.Scalars(name)] == pytest.approx([row[name] for row in rows], rel=1e-6)
    assert [e.value for e in events.Scalars("terms/image->title")] == pytest.approx(
        [row["terms"]["image->title"] for row in rows], rel=1e-6
    )
    assert [(e.step, e.value) for e in events.Scalars("evaluation/score")] == [(6, 5.0)]


def test_weights_and_biases_gets_them_too(config, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    train(config("wandb=colors", "steps=3"), tmp_path / "run")
    import wandb

    wandb.finish()
    assert list((tmp_path / "run" / "wandb").glob("offline-run-*/*.wandb"))


def test_without_the_package_asking_for_it_is_a_sentence(config, tmp_path, monkeypatch):
    monkeypatch.setattr("manyview.train.sinks.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install wandb"):
        train(config("wandb=colors"), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    train(config("steps=2"), tmp_path / "quiet")
    assert not (tmp_path / "quiet" / "tb").exists()


def test_a_dry_run_counts_what_a_run_would_take(config):
    told = dry_run(config())
    model = told.parameters
    assert told.steps == 6
    assert told.records == 20
    assert model["all"] > model["image tower"] + model["text tower"]
    assert len(told.batch.ids) == 8
    assert told.process_mb == pytest.approx(told.fixed_mb + 8 * told.activations_mb)
    assert dry_run(config("activation_checkpointing=true")).activations_mb < told.activations_mb
    assert dry_run(config("parallel=fsdp"), 4).fixed_mb == pytest.approx(told.fixed_mb / 4)
    assert dry_run(config("chunk_size=2")).process_mb < told.process_mb
    adamw = dry_run(config("optimizer.name=adamw"))
    assert adamw.fixed_mb == pytest.approx(16 * model["all"] / 1e6, rel=1e-3)


def test_the_activations_of_a_dry_run_are_those_that_are_kept(config):
    """A linear layer keeps its input and nothing else: counted by hand for a tower of one."""
    from manyview.train.dry_run import _counted

    inputs, weight = torch.randn(10, 3), torch.randn(3, 5, requires_grad=True)
    with _counted() as kept:
        (inputs @ weight).sum().backward()
    assert sum(kept.values()) == 4 * 10 * 3


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("keep_best=true", "keep_best needs evaluate_every"),
        ("corpus={}", "at least one corpus"),
        ("ema_decay=1.5", "ema_decay"),
        ("parallel=tp", "parallel"),
    ],
)
def test_options_that_cannot_be_are_refused(wrong, sentence):
    with pytest.raises(UsageError, match=sentence):
        load_config(TrainConfig, None, [wrong], recipe("many-view"))


def test_minutes_between_checkpoints_are_kept(config, tmp_path):
    train(config("save_every=1000", f"save_minutes={1e-9}", "keep_checkpoints=100"), tmp_path / "run")
    steps = sorted(int(p.name[5:]) for p in (tmp_path / "run" / "checkpoints").glob("step-*"))
    assert len(steps) > 3
    assert math.isclose(steps[-1], 6)
    assert json.loads((tmp_path / "run" / "env.json").read_text())["cpus"] == os.cpu_count()


SMALL_VIT = (
    "{img_size: 32, patch_size: 8, embed_dim: 16, depth: 2, num_heads: 2, class_token: true, global_pool: token%s}"
)


def many_crops(options):
    return (
        "model.image.name=test_vit",
        "model.image.size=32",
        f"model.image.options={SMALL_VIT % options}",
        "views.images={image: {augment: official}, crop: {augment: official, area: [0.05, 0.4], size: 16}}",
        "objective.pairs=[{query: image, key: title}, {query: crop, key: image}, {query: crop, key: title}]",
        "steps=2",
    )


def test_small_crops_train_beside_whole_pictures(config, tmp_path):
    settings = many_crops(", dynamic_img_size: true")
    batch = dry_run(config(*settings)).batch
    assert {name: of.shape[2:] for name, of in batch.images.items()} == {"image": (32, 32), "crop": (16, 16)}
    train(config(*settings), tmp_path / "run")
    (row,) = [row for row in read_metrics(tmp_path / "run" / "metrics.jsonl") if row["step"] == 2]
    assert row["terms"].keys() == {"image->title", "crop->image", "crop->title"}
    assert all(math.isfinite(of) for of in row["terms"].values())


def test_a_tower_of_one_size_refuses_small_crops(config, tmp_path):
    with pytest.raises(UsageError, match="dynamic_img_size"):
        train(config(*many_crops(", dynamic_img_size: false")), tmp_path / "run")


def test_patches_are_dropped_in_training_only(config, tmp_path):
    options = SMALL_VIT % ", patch_drop_rate: 0.5"
    settings = ("model.image.name=test_vit", "model.image.size=32", f"model.image.options={options}", "steps=2")
    model = train(config(*settings), tmp_path / "run")
    images = torch.randint(0, 256, (3, 3, 32, 32)).to(torch.uint8)
    assert torch.equal(model.image_features(images), model.image_features(images))
    model.train()
    assert not torch.equal(model.image_features(images), model.image_features(images))
