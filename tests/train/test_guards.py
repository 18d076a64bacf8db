"""Laws of a run that goes wrong: numbers that are none, a run that learns nothing, data that is broken."""

import json
import math
import os
import re
import resource
import signal

import pytest
import torch
from tests.objective.worlds import in_world
from tests.train.processes import descendants, finished, training, wait_for_step

from manyview.corpus import Corpus, write_corpus
from manyview.errors import NonFiniteError, UsageError
from manyview.model import DualEncoder
from manyview.train import RunFolder, dry_run, read_metrics, train
from manyview.train.checkpoint import latest_checkpoint
from manyview.train.watch import Watch


@pytest.fixture
def poisoned(monkeypatch):
    """From call `first` on, so many forward passes give a feature, or a gradient, that is no number."""

    def of(first, count, by="features"):
        _poison(monkeypatch.setattr, first, count, by)

    return of


def _poison(patch, first, count, by):
    calls, original = [0], DualEncoder.forward

    def forward(self, *views):
        features, scale = original(self, *views)
        calls[0] += 1
        if first <= calls[0] < first + count:
            if by == "features":
                features["image"] = features["image"] * torch.tensor(
                    [[math.nan], *[[1.0]] * (len(views[2]["image"]) - 1)]
                )
            else:
                features["image"].register_hook(lambda gradient: gradient * math.inf)
        return features, scale

    patch(DualEncoder, "forward", forward)


@pytest.mark.parametrize("begin", [train, lambda config, out: dry_run(config)])
def test_views_longer_than_the_towers_positions_end_a_run_before_it_begins(config, tmp_path, begin):
    text = "model.text.options={hidden_size: 32, num_hidden_layers: 1, num_attention_heads: 2, "
    text += "intermediate_size: 32, max_position_embeddings: 40}"
    named = ("model.text.name=bert", text)
    with pytest.raises(UsageError, match=r"max_tokens=64 is more than the text tower 'bert' .* at most 40"):
        begin(config(*named), tmp_path / "run")
    assert not (tmp_path / "run").exists()
    begin(config(*named, "views.texts.title.max_tokens=40", "views.texts.tags.max_tokens=30"), tmp_path / "run")


def test_a_model_knows_the_length_of_text_that_it_was_trained_on(config, tmp_path):
    train(config("views.texts.title.max_tokens=12", "views.texts.tags.max_tokens=30"), tmp_path / "run")
    assert DualEncoder.from_pretrained(tmp_path / "run").max_tokens == 30


@pytest.mark.parametrize("by", ["features", "gradient"])
def test_a_step_that_is_no_number_is_skipped_and_counted(config, tmp_path, poisoned, by, capsys):
    poisoned(3, 2, by)
    model = train(config("save_every=1"), tmp_path / "run")
    assert all(of.isfinite().all() for of in model.parameters())
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 5, 6]
    assert rows[-1]["skipped"] == 2
    said = capsys.readouterr().err
    assert said.count("skipped: ") == 2
    assert "(samples square/" in said
    assert "step 3 skipped" in (tmp_path / "run" / "train.log").read_text()


def test_ten_such_steps_in_a_row_end_the_run_with_the_samples_and_the_last_good_checkpoint(config, tmp_path, poisoned):
    poisoned(4, 100)
    with pytest.raises(
        NonFiniteError, match=r"10 steps .*'image' are not finite \(samples square/\d+\).*step-0000\d\d"
    ):
        train(config("steps=40", "save_every=3"), tmp_path / "run")
    assert latest_checkpoint(tmp_path / "run" / "checkpoints").step >= 3


def poisoned_run(world, config, out):
    """Of which process 1 sees a feature that is no number."""
    if world.rank == 1:
        _poison(setattr, 2, 1, "features")
    train(config, out, world=world)


def test_what_one_process_cannot_use_all_skip(config, tmp_path):
    in_world(2, poisoned_run, config("steps=4"), tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 3, 4]
    assert "step 2 skipped: process 1: " in (tmp_path / "run" / "train.log").read_text()


def metrics(loss=1.0, scale=10.0, wait=0.0):
    return {"terms": {"image->title": loss}, "scale": scale, "data_wait": wait}


KEYS = {"image->title": 256}


@pytest.mark.parametrize(
    ("row", "sign"),
    [
        (metrics(loss=math.log(256)), r"ln\(256\) = 5\.55.*learning rate"),
        (metrics(scale=100.0), r"clamp, 100.*smaller learning rate"),
        (metrics(wait=0.9), r"waiting for data: more workers"),
    ],
)
def test_what_goes_on_for_long_is_said_once_with_what_to_try(row, sign):
    watch = Watch(100.0)
    said = [sentence for _ in range(2000) for sentence in watch.look(row, KEYS)]
    assert len(said) == 1
    assert re.search(sign, said[0])
    assert not [one for _ in range(2000) for one in Watch(100.0).look(row, KEYS)]
    assert not [one for _ in range(2000) for one in watch.look(metrics(), KEYS)]


def test_a_run_with_a_few_broken_images_ends_and_lists_them(config, corpus, tmp_path):
    from dataclasses import replace

    ten = list(Corpus.open(corpus).records("train"))[:10]
    records = [replace(record, id=f"{record.id}/{i}") for i in range(10) for record in ten]
    whole = [*records[:-1], replace(records[-1], image=b"torn")]
    write_corpus(tmp_path / "corpus", {"train": whole}, name="one in a hundred")
    out = tmp_path / "run"
    code, said = finished(config(f"corpus={tmp_path / 'corpus'}", "steps=30"), out)
    assert code == 0, said
    assert said.count("left out: the image of square/") == 1
    assert "left out in all: 1 images, not an image" in said
    assert read_metrics(out / "metrics.jsonl")[-1]["bad_images"] == 1
    state = latest_checkpoint(out / "checkpoints").plain()
    assert list(state["bad"]) == [records[-1].id]


def test_a_worker_that_is_killed_ends_the_run_with_a_sentence(config, tmp_path):
    out = tmp_path / "run"
    with training(config("steps=4000", "workers=2"), out) as process:
        wait_for_step(process, out, 5)
        os.kill(descendants(process.pid)[0], signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: loader worker" in said
    assert "Traceback" not in said


@pytest.mark.slow
def test_a_worker_that_is_killed_in_one_process_is_named_by_all(config, tmp_path):
    out = tmp_path / "run"
    with training(config("steps=4000", "workers=1"), out, processes=2) as process:
        wait_for_step(process, out, 5)
        ranks = [pid for pid in descendants(process.pid) if descendants(pid)]
        os.kill(descendants(ranks[-1])[0], signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert said.count("error: process 1: loader worker") == 2, said


def test_a_disk_that_fills_up_while_saving_ends_the_run_and_keeps_what_was_saved(config, tmp_path):
    out = tmp_path / "run"
    with training(config("steps=4000", "save_every=20", "tensorboard=false"), out) as process:
        wait_for_step(process, out, 45)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (40_000, resource.RLIM_INFINITY))
        _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "error: cannot write" in said
    assert "intact" in said
    assert "Traceback" not in said
    kept = latest_checkpoint(RunFolder(out).checkpoints)
    assert kept.step >= 40
    assert not list(RunFolder(out).checkpoints.glob("*.partial"))
    code, said = finished(config(f"steps={4000}", "save_every=20", "tensorboard=false"), out, "--dry-run")
    assert code == 0, said


def test_evaluations_and_lines_carry_everything_that_is_promised(config, tmp_path):
    train(config(), tmp_path / "run")
    row = json.loads((tmp_path / "run" / "metrics.jsonl").read_text().splitlines()[-1])
    promised = {"step", "loss", "terms", "scale", "learning_rate", "grad_norm", "samples_per_second", "data_wait"}
    assert promised | {"masked", "memory_mb", "memory_now_mb", "skipped", "bad_images"} <= row.keys()
    line = (tmp_path / "run" / "train.log").read_text().splitlines()[-1]
    for word in ("loss", "image->title", "scale", "lr", "grad", "samples/s", "waiting for data", "masked", "memory"):
        assert word in line
