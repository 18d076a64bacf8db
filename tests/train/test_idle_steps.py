"""Laws of steps that teach nothing: said at once, ended when they last, on every process alike."""

import re
from dataclasses import replace

import pytest
import torch
from tests.objective.worlds import in_world

from manyview.corpus import Corpus, Record, Text, write_corpus
from manyview.data import Batch
from manyview.errors import DataError, UsageError
from manyview.objective import Pair, multi_view_loss
from manyview.train import dry_run, read_metrics, train
from manyview.train.idle_steps import IdleSteps, StepNumbers, same_shares

EXPLAINED = "The split 'train' has caption (de 40)."


PAIR = Pair("image", "title")


def warnings(idle, steps, texts=8, equal=0.1, **other):
    numbers = StepNumbers({"title": texts, "tags": 8}, {PAIR: equal, Pair("image", "tags"): equal}, **other)
    return [sentence for step in range(1, steps + 1) for sentence in idle.look(step, numbers)]


def idle(batch_size=8, records=30):
    return IdleSteps(batch_size, records, lambda: EXPLAINED)


def test_steps_that_teach_something_are_passed_over():
    assert not warnings(idle(), 1000, texts=1, equal=0.5)


def test_a_view_without_a_text_is_named_in_the_first_step_and_ends_the_run_when_it_lasts():
    (said,) = warnings(idle(), 9, texts=0)
    assert "'title'" in said
    assert EXPLAINED in said
    with pytest.raises(DataError, match=r"last 10 batches.*'title'.*views\.texts\.title\.kinds.*caption \(de 40\)"):
        warnings(idle(), 10, texts=0)


def test_a_rare_kind_is_not_a_missing_one():
    """A kind that one record in a thousand has is absent from ten batches of 32 as a rule."""
    watched = idle(batch_size=32, records=1_000_000)
    assert len(warnings(watched, 312, texts=0)) == 1
    with pytest.raises(DataError, match="'title'"):
        warnings(watched, 1, texts=0)
    again = idle()
    for _ in range(100):
        warnings(again, 9, texts=0)
        warnings(again, 1, texts=1)


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ({"grad_norm": 0.0}, "gradient is exactly zero"),
        ({"equal": 1.0, "grad_norm": 1e-9, "loss": 0.0}, "all equal"),
    ],
)
def test_a_step_that_teaches_nothing_is_said_at_once_and_ends_the_run_when_it_lasts(numbers, reason):
    assert sum("learns nothing" in said for said in warnings(idle(), 9, **numbers)) == 1
    with pytest.raises(DataError, match=f"nothing in the last 10 steps.*{reason}.*de 40"):
        warnings(idle(), 10, **numbers)
    watched = idle()
    for _ in range(100):
        warnings(watched, 9, **numbers)
        warnings(watched, 1)


def test_a_batch_known_by_heart_is_no_error():
    assert not warnings(idle(), 1000, loss=0.0, grad_norm=0.0)


def test_a_step_without_any_text_teaches_nothing_unless_images_are_compared():
    numbers = StepNumbers({"title": 0}, {PAIR: 0.0}, loss=0.0, grad_norm=0.0)
    assert any("learns nothing" in said for said in idle().look(1, numbers))
    numbers = StepNumbers({"title": 0}, {PAIR: 0.0, Pair("image", "image.2"): 0.0})
    assert not any("learns nothing" in said for said in idle().look(1, numbers))


def test_equal_contents_are_said_once_with_their_share():
    assert not warnings(idle(), 2, equal=0.95)
    first, second = warnings(idle(), 1000, equal=0.95)
    assert first.startswith("95% of the negatives of image->title")
    assert second.startswith("95% of the negatives of image->tags")


def test_the_share_of_equal_rows_is_that_of_loops_and_that_which_the_loss_masks():
    generator = torch.Generator().manual_seed(0)
    views = ("image", "title", "tags")
    identities = {view: torch.randint(0, 4, (30,), generator=generator) for view in views}
    present = {view: torch.rand(30, generator=generator) < 0.8 for view in views}
    batch = Batch(0, 0.0, [], {}, {}, {}, present, identities, [])
    pairs = [Pair("image", "title"), Pair("title", "tags")]
    for pair, share in zip(pairs, same_shares(batch, pairs).values(), strict=True):
        rows = [i for i in range(30) if present[pair.query][i] and present[pair.key][i]]
        same = [
            any(identities[view][i] == identities[view][j] for view in (pair.query, pair.key))
            for i in rows
            for j in rows
            if i != j
        ]
        assert share == pytest.approx(sum(same) / len(same))
    features = {view: torch.nn.functional.normalize(torch.randn(30, 8, generator=generator), dim=1) for view in views}
    loss = multi_view_loss(features, pairs, torch.tensor(10.0), identities=identities)
    everywhere = replace(batch, present={view: torch.ones(30, dtype=torch.bool) for view in views})
    for pair, share in zip(pairs, same_shares(everywhere, pairs).values(), strict=True):
        assert share == pytest.approx(loss.masked[pair].item())


@pytest.fixture
def alike(corpus, tmp_path):
    """The squares, each with the caption "a photo"."""
    records = [
        replace(record, texts=(Text("caption", "a photo", "en"),)) for record in Corpus.open(corpus).records("train")
    ]
    write_corpus(tmp_path / "alike", {"train": records}, name="alike")
    return f"corpus={tmp_path / 'alike'}"


def test_captions_that_are_all_alike_end_the_run_in_seconds(config, alike, tmp_path, capsys):
    with pytest.raises(DataError, match=r"learned nothing in the last 10 steps, .* all equal.*caption \(en 20\)"):
        train(config(alike, "steps=400", name="clip"), tmp_path / "run")
    assert DataError.exit_code == 3
    assert re.search(r"warning: 100% of the negatives of image->caption", capsys.readouterr().err)
    assert read_metrics(tmp_path / "run" / "metrics.jsonl")[-1]["step"] <= 10
    told = dry_run(config(alike, name="clip"))
    assert any("100% of the negatives" in warning for warning in told.warnings)
    assert any("learns nothing" in warning for warning in told.warnings)


def ended(world, config, out):
    """What ends the training of one process."""
    with pytest.raises(DataError) as error:
        train(config, out, world=world)
    return str(error.value)


def test_processes_end_alike(config, alike, tmp_path):
    first, second = in_world(2, ended, config(alike, "steps=400", name="clip"), tmp_path / "run")
    assert first == second
    assert "last 10 steps" in first


def test_a_view_that_no_batch_meets_ends_the_run(config, tmp_path, monkeypatch):
    """Though nothing was found wrong before the first step."""
    monkeypatch.setattr("manyview.data.batches.views_without_texts", lambda views, counts: {})
    settings = ("views.texts.tags.kinds=[weather]", "steps=400")
    with pytest.raises(DataError, match=r"last 10 batches has a text for the view 'tags'.*tags \(en 40\)"):
        train(config(*settings), tmp_path / "run")
    assert "'tags'" in "".join(dry_run(config(*settings)).warnings)


def test_a_healthy_run_warns_of_nothing(config, capsys, tmp_path):
    train(config(), tmp_path / "run")
    assert "warning" not in capsys.readouterr().err
    assert not dry_run(config()).warnings


@pytest.mark.parametrize("name", ["many-view", "clip"])
def test_texts_in_no_wanted_kind_or_language_are_refused_before_the_first_step(config, corpus, tmp_path, name):
    records = [
        Record(f"{i}", f"{i}", r.image, (Text("weather", "rain", "de"),))
        for i, r in enumerate(Corpus.open(corpus).records("train"))
    ]
    write_corpus(tmp_path / "weather", {"train": records}, name="weather")
    for call in (lambda of: train(of, tmp_path / "run"), dry_run):
        with pytest.raises(UsageError, match=r"weather \(de 20\).*views\.texts\.\w+\.kinds"):
            call(config(f"corpus={tmp_path / 'weather'}", name=name))
    view = "title" if name == "many-view" else "caption"
    with pytest.raises(UsageError, match=r"languages \['th'\] only.*views\.langs"):
        dry_run(
            config(
                f"corpus={tmp_path / 'weather'}",
                f"views.texts={{{view}: {{kinds: [weather]}}}}",
                "views.langs=[th]",
                f"objective.pairs=[{{query: image, key: {view}}}]",
                name=name,
            )
        )
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("setting", ["lanes=8", "source_exponent=0", "batch_size=2", "batch_size=20"])
def test_a_dry_run_probes_any_way_of_reading(config, setting):
    told = dry_run(config("batch_size=8", setting))
    assert told.activations_mb > 0
    assert told.activations_mb == pytest.approx(dry_run(config()).activations_mb, rel=0.25)
