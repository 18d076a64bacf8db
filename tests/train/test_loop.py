"""Laws of training: reproducible to the bit, interrupted = uninterrupted, and it learns."""

import os
import signal

import pytest
import torch
from PIL import Image
from tests.train.conftest import COLORS

from manyview import DualEncoder
from manyview.config import load_config
from manyview.errors import DataError, Interrupted, ManyviewError, Saved, UsageError
from manyview.train import RECIPES, RunFolder, TrainConfig, read_metrics, train
from manyview.train.checkpoint import latest_checkpoint


def equal(a: DualEncoder, b: DualEncoder) -> bool:
    theirs = b.state_dict()
    return all(torch.equal(of, theirs[name]) for name, of in a.state_dict().items())


@pytest.mark.parametrize("workers", [0, 1])
def test_the_same_run_gives_the_same_bits(config, tmp_path, workers):
    first = train(config(), tmp_path / "a")
    again = train(config(f"workers={workers}"), tmp_path / "b")
    assert equal(first, again)
    assert not equal(first, train(config("seed=1"), tmp_path / "c"))


@pytest.mark.parametrize(("number", "error"), [(signal.SIGINT, Interrupted), (signal.SIGTERM, Saved)])
@pytest.mark.parametrize("step", [1, 3])
def test_a_stopped_and_continued_run_ends_as_if_never_stopped(config, tmp_path, number, error, step):
    whole = train(config(), tmp_path / "whole")

    def stop(metrics):
        if metrics["step"] == step:
            os.kill(os.getpid(), number)

    with pytest.raises(error, match=f"stopped at step {step} of 6 and saved"):
        train(config(), tmp_path / "parts", sinks=[stop])
    assert not RunFolder(tmp_path / "parts").finished
    continued = train(config(), tmp_path / "parts", resume=True)
    assert equal(whole, continued)
    losses = [[row["loss"] for row in read_metrics(tmp_path / run / "metrics.jsonl")] for run in ("whole", "parts")]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_run_that_died_without_a_word_continues_from_its_last_checkpoint(config, tmp_path, precision):
    settings = config(f"precision={precision}")
    whole = train(settings, tmp_path / "whole")

    class PowerCut(Exception):
        pass

    def die(metrics):
        if metrics["step"] == 5:
            raise PowerCut

    with pytest.raises(PowerCut):
        train(settings, tmp_path / "parts", sinks=[die])
    assert equal(whole, train(settings, tmp_path / "parts", resume=True))
    steps = [row["step"] for row in read_metrics(tmp_path / "parts" / "metrics.jsonl")]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_the_model_of_a_run_is_what_training_returned(config, tmp_path):
    model = train(config(), tmp_path / "run")
    assert equal(model, DualEncoder.from_pretrained(tmp_path / "run"))


def test_a_run_leaves_its_configuration_which_can_be_run_again(config, tmp_path):
    first = train(config(), tmp_path / "a")
    again = load_config(TrainConfig, tmp_path / "a" / "config.yaml")
    assert again == config()
    assert equal(first, train(again, tmp_path / "b"))
    newest = latest_checkpoint(tmp_path / "a" / "checkpoints")
    assert TrainConfig.model_validate(newest.plain()["config"]) == config()
    for name in ("env.json", "train.log", "metrics.jsonl", "checkpoints/latest"):
        assert (tmp_path / "a" / name).stat().st_size


COLOR_TASK = ("steps=80", "optimizer.warmup_steps=5", "save_every=80")


def test_training_ties_names_to_colors(config, tmp_path):
    model = train(config(*COLOR_TASK, "precision=float32"), tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert rows[-1]["loss"] < 0.7 * rows[0]["loss"]

    pictures = model.encode_image([Image.new("RGB", (24, 24), color) for color in COLORS.values()])
    for names in (list(COLORS), ["红", "绿", "蓝", "黄"]):
        assert model.similarity(model.encode_text(names), pictures).argmax(1).tolist() == [0, 1, 2, 3]


def test_bfloat16_learns_the_colors_as_well_as_float32(config, tmp_path):
    last = {}
    for precision in ("float32", "bfloat16"):
        model = train(config(*COLOR_TASK, f"precision={precision}"), tmp_path / precision)
        rows = read_metrics(tmp_path / precision / "metrics.jsonl")
        last[precision] = sum(row["loss"] for row in rows[-20:]) / 20
        assert last[precision] < 0.7 * rows[0]["loss"]
        pictures = model.encode_image([Image.new("RGB", (24, 24), color) for color in COLORS.values()])
        assert model.similarity(model.encode_text(list(COLORS)), pictures).argmax(1).tolist() == [0, 1, 2, 3]
    assert last["bfloat16"] == pytest.approx(last["float32"], rel=0.05)


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "base"])
def test_every_recipe_trains(config, tmp_path, name):
    train(config("steps=2", name=name), tmp_path / "run")
    first, last = read_metrics(tmp_path / "run" / "metrics.jsonl")
    weights = {f"{p.query}->{p.key}": p.weight for p in config(name=name).objective.pairs}
    assert last["terms"].keys() == weights.keys()
    assert first["loss"] == pytest.approx(sum(weights[pair] * of for pair, of in first["terms"].items()), rel=1e-5)
    assert last["images"] == 2 * 8 * len(config(name=name).views.images)


def test_the_base_recipe_trains_when_its_towers_are_small(config, tmp_path):
    bert = "{hidden_size: 16, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 16}"
    small = ("model.image={name: test_vit, size: 160, options: {}}", f"model.text.options={bert}", "steps=2")
    model = train(config(*small, name="base"), tmp_path / "run")
    assert model.wordpiece is not None
    assert equal(model, DualEncoder.from_pretrained(tmp_path / "run"))


def test_a_run_in_chunks_is_the_same_run(config, tmp_path):
    whole = train(config("precision=float32"), tmp_path / "whole")
    chunked = train(config("chunk_size=3", "precision=float32"), tmp_path / "chunked")
    for a, b in zip(whole.parameters(), chunked.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=2e-4, rtol=1e-3)


def test_a_bfloat16_run_in_chunks_is_the_same_run_within_its_rounding(config, tmp_path):
    """Each chunk's gradient is rounded to bfloat16 (2^-9) before it is added; six optimizer steps amplify that."""
    losses = []
    for name, settings in (("whole", ()), ("chunked", ("chunk_size=3",))):
        train(config("precision=bfloat16", *settings), tmp_path / name)
        losses.append([row["loss"] for row in read_metrics(tmp_path / name / "metrics.jsonl")])
    assert losses[0][0] == pytest.approx(losses[1][0], rel=2**-9)
    assert losses[0] == pytest.approx(losses[1], rel=2**-4)


def test_image_sizes_change_at_their_share_of_the_run(config, tmp_path):
    progressive = config("image_sizes={0: 16, 0.5: 32}")
    assert [progressive.image_size(step, 6) for step in range(6)] == [16, 16, 16, 32, 32, 32]
    train(progressive, tmp_path / "run")
    with pytest.raises(UsageError, match="fully convolutional"):
        train(config("image_sizes={0: 16}", "model.image={name: test_vit, size: 160}"), tmp_path / "vit")


def test_too_many_broken_images_end_the_run_with_the_first_of_them(config, tmp_path):
    from manyview.corpus import Record, Text, write_corpus

    records = [
        Record(f"r/{i}", f"r/{i}", b"broken", (Text("title", str(i), "en"), Text("tags", "x", "en")))
        for i in range(250)
    ]
    write_corpus(tmp_path / "broken", {"train": records}, name="broken")
    broken = config(f"corpus={tmp_path / 'broken'}", "batch_size=50", "steps=9")
    with pytest.raises(DataError, match=r"200 of 200 images cannot be decoded, .* r/\d+: not an image"):
        train(broken, tmp_path / "run")


def test_nothing_is_written_for_settings_that_cannot_work(config, tmp_path):
    for wrong in ("split=validation", "batch_size=1000", "device=tpu9"):
        with pytest.raises(UsageError, match=r"validation|1000|tpu9"):
            train(config(wrong), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_filled_folder_is_kept_unless_told_otherwise(config, tmp_path):
    (tmp_path / "precious.txt").write_text("mine")
    for how in ({}, {"resume": True}, {"overwrite": True}):
        with pytest.raises(UsageError, match=r"not empty|precious"):
            train(config(), tmp_path, **how)
    assert (tmp_path / "precious.txt").read_text() == "mine"


def test_a_run_is_replaced_only_when_told_so_and_resumed_only_as_itself(config, tmp_path):
    train(config(), tmp_path / "run")
    with pytest.raises(UsageError, match="--resume"):
        train(config(), tmp_path / "run")
    with pytest.raises(UsageError, match="another seed"):
        train(config("seed=3"), tmp_path / "run", resume=True)
    assert equal(train(config("seed=3"), tmp_path / "run", overwrite=True), train(config("seed=3"), tmp_path / "b"))


def test_a_run_begun_before_words_had_versions_is_resumed_with_the_old_ones_only(config, tmp_path):
    old = config("model.text.word_rules=1")
    train(old, tmp_path / "run")
    file = tmp_path / "run" / "config.yaml"
    saved = file.read_text()
    file.write_text(saved.replace("    word_rules: 1\n", ""))
    assert file.read_text() != saved
    with pytest.raises(UsageError, match=r"another model\.text\.word_rules than asked for"):
        train(config(), tmp_path / "run", resume=True)
    assert train(old, tmp_path / "run", resume=True).config.text.word_rules == 1


def test_a_run_is_not_resumed_on_another_corpus(config, tmp_path, corpus):
    import shutil

    from manyview.corpus import Record, Text, write_corpus

    moved = tmp_path / "corpus"
    shutil.copytree(corpus, moved)
    train(config(f"corpus={moved}"), tmp_path / "run")
    shutil.rmtree(moved)
    texts = (Text("title", "t", "en"), Text("tags", "t", "en"))
    write_corpus(moved, {"train": [Record(str(i), str(i), b"x", texts) for i in range(20)]}, name="other")
    with pytest.raises(UsageError, match="is not the one"):
        train(config(f"corpus={moved}"), tmp_path / "run", resume=True)


def test_metrics_that_cannot_be_written_are_a_sentence(config, tmp_path):
    def block(metrics):
        file = tmp_path / "run" / "train.log"
        file.unlink(missing_ok=True)
        file.mkdir(exist_ok=True)

    with pytest.raises(ManyviewError, match=r"cannot write to .*train\.log"):
        train(config(), tmp_path / "run", sinks=[block])


def test_a_finished_model_keeps_the_record_weights_it_is_given_and_says_so(config, tmp_path):
    asked = []

    def weigh(model):
        asked.append(model.config.record.langs)
        return {"image": 1.0, "tags": 2.0}, "tags count twice"

    settings = config("views.langs={en: 1.0}")
    plain = train(settings, tmp_path / "plain")
    weighed = train(settings, tmp_path / "weighed", weigher=weigh)
    assert asked == [("en",)]
    assert weighed.config.record.weights == {"image": 1.0, "tags": 2.0}
    assert plain.config.record.weights == {}
    assert equal(plain, weighed)
    assert "tags count twice" in RunFolder(tmp_path / "weighed").log.read_text()


def test_record_weights_that_a_user_sets_are_kept(config, tmp_path):
    settings = config("model.record.weights={title: 3.0}")
    model = train(settings, tmp_path / "set", weigher=lambda model: pytest.fail("asked for weights that are set"))
    assert model.config.record.weights == {"title": 3.0}


def test_record_weights_that_cannot_be_learned_do_not_cost_the_model(config, tmp_path):
    def fail(model):
        raise DataError("the picture of r1 is damaged")

    for name, weigh in (("damaged", fail), ("negative", lambda model: ({"title": -1.0}, "learned"))):
        assert train(config(), tmp_path / name, weigher=weigh).config.record.weights == {}
        assert "warning: record weights stay 1: the " in RunFolder(tmp_path / name).log.read_text()
