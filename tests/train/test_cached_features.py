"""Laws of cached features: what is computed once is what would be computed in every step."""

import json
import signal
import subprocess
import sys

import pytest
import torch
from tests.objective.worlds import in_world

from manyview import DualEncoder
from manyview.corpus import Corpus, Record, write_corpus
from manyview.errors import Interrupted, UsageError
from manyview.train import RunFolder, read_metrics, train
from manyview.train import cached_features as caching

HEADS = (
    "steps=6",
    "epochs=null",
    "batch_size=8",
    "precision=float32",
    "model.head={hidden: 8, dropout: 0.2}",
    "views.renderings=3",
)
KILLED_IN_THE_SECOND_PART = """
import os, sys
from pathlib import Path
from manyview.config import load_config
from manyview.data import feature_store
from manyview.train import TrainConfig, train
replace = feature_store._replace
def killed(file, write):
    if file.name == "part-000001.safetensors":
        (file.parent / (file.name + ".partial")).write_bytes(b"half")
        os.kill(os.getpid(), 9)
    replace(file, write)
feature_store._replace = killed
train(load_config(TrainConfig, sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A model whose towers are adapted."""

    def of(config):
        out = tmp_path_factory.getbasetemp() / "towers"
        if not out.exists():
            train(config("seed=5"), out)
        return out

    return of


@pytest.fixture
def adapt(config, first):
    """The recipe adapt, with the towers of a tiny model."""

    def of(*overrides):
        return config(f"start.model={json.dumps(str(first(config)))}", *HEADS, *overrides, name="adapt")

    return of


def weights(out):
    return DualEncoder.from_pretrained(out).state_dict()


def losses(out):
    return torch.tensor([row["loss"] for row in read_metrics(RunFolder(out).metrics)])


def parts(folder):
    return {file.relative_to(folder): file.read_bytes() for file in sorted(folder.rglob("*.safetensors"))}


def run(world, config, out):
    """In a process of a world."""
    train(config, out, world=world)


def test_cached_features_train_as_locked_towers_do(adapt, tmp_path):
    """The same tower computes the same rows in batches of another size: float32's rounding."""
    train(adapt(), tmp_path / "cached")
    train(adapt("start.cache=false"), tmp_path / "uncached")
    torch.testing.assert_close(losses(tmp_path / "cached"), losses(tmp_path / "uncached"), atol=1e-5, rtol=1e-5)
    uncached = weights(tmp_path / "uncached")
    for name, of in weights(tmp_path / "cached").items():
        torch.testing.assert_close(of, uncached[name], atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize(("lock", "other"), [("image", "text"), ("text", "image")])
def test_one_locked_tower_is_cached_and_the_other_learns(adapt, tmp_path, first, config, lock, other):
    train(adapt(f"start.lock=[{lock}]"), tmp_path / "cached")
    train(adapt(f"start.lock=[{lock}]", "start.cache=false"), tmp_path / "uncached")
    torch.testing.assert_close(losses(tmp_path / "cached"), losses(tmp_path / "uncached"), atol=1e-4, rtol=1e-4)
    before, after = weights(first(config)), weights(tmp_path / "cached")
    assert {folder.name for folder in (tmp_path / "cached" / "features").iterdir()} == {f"{lock}s"}
    assert any(not torch.equal(before[name], of) for name, of in after.items() if name.startswith(f"{other}_tower"))


def test_heads_move_and_towers_do_not(adapt, tmp_path, first, config):
    train(adapt(), tmp_path / "run")
    before, after = weights(first(config)), weights(tmp_path / "run")
    towers = [name for name in before if "_tower." in name]
    assert towers
    assert all(torch.equal(before[name], after[name]) for name in towers)
    for head in ("image_projection", "text_projection"):
        assert not torch.equal(before[f"{head}.weight"], after[f"{head}.linear.weight"])
        assert after[f"{head}.mlp.4.weight"].any()


def test_a_killed_computation_is_continued_to_the_same_bytes(adapt, tmp_path):
    config = adapt()
    file = tmp_path / "config.json"
    file.write_text(config.model_dump_json())
    train(config, tmp_path / "whole")
    killed = subprocess.run([sys.executable, "-c", KILLED_IN_THE_SECOND_PART, file, tmp_path / "killed"], check=False)
    assert killed.returncode == -signal.SIGKILL
    kept = parts(tmp_path / "killed")
    assert len(kept) == 1
    train(config, tmp_path / "killed", resume=True)
    assert parts(tmp_path / "killed" / "features") == parts(tmp_path / "whole" / "features")
    whole = weights(tmp_path / "whole")
    assert all(torch.equal(of, whole[name]) for name, of in weights(tmp_path / "killed").items())


def test_a_signal_stops_the_computation_with_a_sentence_that_says_how_to_continue(adapt, tmp_path, monkeypatch):
    write = caching.FeatureStore.write

    def interrupted(self, *part):
        write(self, *part)
        signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patched, pytest.raises(Interrupted, match="--resume"):
        patched.setattr(caching.FeatureStore, "write", interrupted)
        train(adapt(), tmp_path / "run")
    assert len(parts(tmp_path / "run" / "features")) == 1
    train(adapt(), tmp_path / "run", resume=True)
    assert RunFolder(tmp_path / "run").finished


def test_another_seed_and_another_objective_compute_nothing_again(adapt, tmp_path):
    shared = f"start.features={tmp_path / 'shared'}"
    train(adapt(shared), tmp_path / "one")
    before = parts(tmp_path / "shared")
    pairs = "objective.pairs=[{query: image, key: title}, {query: title, key: image}]"
    train(adapt(shared, "seed=7", pairs), tmp_path / "other")
    assert parts(tmp_path / "shared") == before
    assert not (tmp_path / "other" / "features").exists()


def test_records_that_are_added_are_the_only_ones_computed(adapt, corpus, tmp_path):
    records = [*Corpus.open(corpus).records("train"), *Corpus.open(corpus).records("test")]
    write_corpus(tmp_path / "more", {"train": records}, name="squares", row_group_bytes=10_000)
    shared = f"start.features={tmp_path / 'shared'}"
    train(adapt(shared), tmp_path / "one")
    before = parts(tmp_path / "shared")
    train(adapt(shared, f"corpus={tmp_path / 'more'}"), tmp_path / "two")
    train(adapt(f"corpus={tmp_path / 'more'}"), tmp_path / "anew")
    after = parts(tmp_path / "shared")
    assert before.items() < after.items()
    torch.testing.assert_close(losses(tmp_path / "two"), losses(tmp_path / "anew"), atol=1e-5, rtol=1e-5)


def test_features_of_another_model_are_refused(adapt, config, tmp_path):
    shared = f"start.features={tmp_path / 'shared'}"
    train(adapt(shared), tmp_path / "one")
    train(config("seed=6"), tmp_path / "another")
    with pytest.raises(UsageError, match=r"of another model \(other weights\): remove that folder, or give another"):
        train(adapt(shared, f"start.model={tmp_path / 'another'}"), tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_a_run_on_cached_features_is_resumed_to_the_bit(adapt, tmp_path):
    def stop(metrics):
        if metrics["step"] == 5:
            raise InterruptedError

    settings = ("ema_decay=0.9", "workers=1")
    train(adapt(*settings), tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train(adapt(*settings), tmp_path / "parts", sinks=[stop])
    train(adapt(*settings), tmp_path / "parts", resume=True)
    whole, resumed = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(of, resumed[name]) for name, of in whole.items())


def test_two_processes_compute_and_train_as_one_does(adapt, tmp_path):
    config = adapt("model.head={hidden: 8, dropout: 0}")
    train(config, tmp_path / "one")
    in_world(2, run, config, tmp_path / "two")
    torch.testing.assert_close(losses(tmp_path / "two"), losses(tmp_path / "one"), atol=1e-5, rtol=1e-5)
    one = weights(tmp_path / "one")
    for name, of in weights(tmp_path / "two").items():
        torch.testing.assert_close(of, one[name], atol=1e-4, rtol=1e-4, msg=name)


def test_an_image_that_cannot_be_decoded_is_left_out_by_reason_with_a_cache_as_without(adapt, corpus, tmp_path):
    records = list(Corpus.open(corpus).records("train"))
    broken = records[3]
    records[3] = Record(broken.id, broken.group, b"not an image", broken.texts, broken.source)
    write_corpus(tmp_path / "broken", {"train": records}, name="broken")
    for name, cache in (("cached", "true"), ("uncached", "false")):
        train(adapt(f"corpus={tmp_path / 'broken'}", f"start.cache={cache}"), tmp_path / name)
        assert f"left out: the image of {broken.id}" in RunFolder(tmp_path / name).log.read_text()
    torch.testing.assert_close(losses(tmp_path / "cached"), losses(tmp_path / "uncached"), atol=1e-5, rtol=1e-5)


def test_a_batch_without_texts_or_images_has_features_of_zero_with_a_cache_too(adapt, tmp_path):
    model = train(adapt("steps=1"), tmp_path / "run")
    width = model.text_tower.width
    tokens = {"title": {"ids": torch.zeros(0, width), "lengths": torch.zeros(0, dtype=torch.int32)}}
    absent = {"image": torch.zeros(3, dtype=torch.bool), "title": torch.zeros(3, dtype=torch.bool)}
    features, _ = model({"image": torch.zeros(0, model.image_tower.width)}, tokens, absent)
    assert {view: tuple(of.shape) for view, of in features.items()} == {"image": (3, 16), "title": (3, 16)}
    assert not any(of.any() for of in features.values())


def test_an_mlp_beside_a_trained_projection_begins_as_that_projection_is(adapt, tmp_path, first, config):
    train(adapt("steps=1", "optimizer.learning_rate=1e-12"), tmp_path / "run")
    before, after = (DualEncoder.from_pretrained(path) for path in (first(config), tmp_path / "run"))
    texts = ["red square 1", "paint 2"]
    torch.testing.assert_close(after.encode_text(texts), before.encode_text(texts), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("start.lock=[]", r"name them with start\.lock"),
        ("views.images={image: {augment: gentle}}", "give augment=none"),
        ("image_sizes={0.5: 32}", "image_sizes"),
        ("views.renderings=null", r"needs views\.renderings"),
    ],
)
def test_what_cannot_be_cached_is_a_sentence(adapt, wrong, sentence):
    with pytest.raises(UsageError, match=sentence):
        adapt(wrong)
