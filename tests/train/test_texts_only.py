"""Laws of training with records of texts only: they cost no image, and the step is that of the definition."""

from dataclasses import replace

import pytest
import torch
from tests.objective.worlds import in_world

from manyview import DualEncoder
from manyview.corpus import Corpus, write_corpus
from manyview.errors import UsageError
from manyview.objective.definition import plain_multi_view_loss
from manyview.train import RunFolder, dry_run, read_metrics, train
from manyview.train.run import batch_source, corpora_of, new_model


@pytest.fixture(scope="module")
def words(corpus, tmp_path_factory):
    """40 records of texts only."""
    folder = tmp_path_factory.mktemp("words") / "corpus"
    squares = list(Corpus.open(corpus).records("train"))
    records = [replace(squares[i % 20], id=f"word/{i}", group=f"word/{i}", image=None) for i in range(40)]
    write_corpus(folder, {"train": records}, name="words")
    return folder


@pytest.fixture
def mixture(config, corpus, words):
    """6 squares and 12 words a step."""

    def of(*overrides, name="many-view", weights=(1, 2)):
        mixed = f"corpus={{{corpus}: {weights[0]}, {words}: {weights[1]}}}"
        return config(mixed, "batch_size=18", "precision=float32", *overrides, name=name)

    return of


def run_all(world, configs, out):
    """Each config, one behind the other, in a process of a world."""
    for number, config in enumerate(configs):
        train(config, out / f"{number} by two", world=world)


def losses(out):
    return torch.tensor([row["loss"] for row in read_metrics(RunFolder(out).metrics)])


def same_weights(a, b, error):
    a, b = (DualEncoder.from_pretrained(out).state_dict() for out in (a, b))
    return all(((a[name] - b[name]).norm() / (b[name].norm() + 1e-6)).item() < error for name in b)


def test_the_first_step_has_the_loss_of_the_definition_over_the_rows_that_have_both_views(mixture, tmp_path):
    settings = mixture("steps=1")
    model = new_model(settings, None, torch.device("cpu"))
    batch = batch_source(settings, corpora_of(settings), model.tokenize)[0]
    features = {
        **{view: model.image_features(of) for view, of in batch.images.items()},
        **{view: model.text_features(of) for view, of in batch.tokens.items()},
    }
    everyone = {view: torch.zeros(18, 16).double() for view in batch.present}
    for view, of in features.items():
        everyone[view][batch.present[view]] = of.double()
    assert {view: int(of.sum()) for view, of in batch.present.items()} == {"image": 6, "title": 18, "tags": 18}
    pairs = [pair.pair() for pair in settings.objective.pairs]
    given = {"present": batch.present, "identities": batch.identities}
    expected = plain_multi_view_loss(everyone, pairs, model.logit_scale.exp().double(), **given).loss.item()
    train(settings, tmp_path / "run")
    assert losses(tmp_path / "run")[0].item() == pytest.approx(expected, rel=1e-5)


def test_in_chunks_of_which_some_have_no_image_it_is_the_same_run(mixture, tmp_path):
    train(mixture(), tmp_path / "whole")
    train(mixture("chunk_size=1"), tmp_path / "chunked")
    torch.testing.assert_close(losses(tmp_path / "chunked"), losses(tmp_path / "whole"), atol=1e-4, rtol=1e-4)
    assert same_weights(tmp_path / "chunked", tmp_path / "whole", 1e-2)


@pytest.mark.parametrize("parallel", ["ddp", pytest.param("fsdp", marks=pytest.mark.slow)])
def test_two_processes_are_one_also_where_one_has_no_image_at_all(mixture, tmp_path, parallel):
    """2 images a step, one for each process, or 1."""
    how = ("batch_size=6", "steps=4", f"parallel={parallel}")
    configs = [mixture(*how, weights=weights) for weights in ((1, 2), (1, 9))]
    in_world(2, run_all, configs, tmp_path)
    for number, settings in enumerate(configs):
        one, two = tmp_path / str(number), tmp_path / f"{number} by two"
        train(settings, one)
        torch.testing.assert_close(losses(two), losses(one), atol=1e-4, rtol=1e-4)
        assert same_weights(two, one, 1e-2)


def test_a_run_without_any_image_learns_its_pairs_of_texts_and_other_recipes_say_what_they_lack(
    config, words, tmp_path
):
    only = (f"corpus={words}", "precision=float32")
    train(config(*only, "steps=40"), tmp_path / "run")
    rows = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert rows[-1]["terms"]["title->tags"] < 0.8 * rows[0]["terms"]["title->tags"]
    assert rows[-1]["terms"]["image->title"] == 0 and rows[-1]["images"] == 0
    with pytest.raises(UsageError, match=r"has an image, and every pair of the recipe 'clip' needs one"):
        train(config(*only, name="clip"), tmp_path / "clip")
    assert not (tmp_path / "clip").exists()


def test_texts_that_come_along_change_no_number_of_steps_over_the_pictures(config, mixture):
    for epochs in (1, 4, 10):
        alone = dry_run(config("steps=null", f"epochs={epochs}", "batch_size=6"))
        together = dry_run(mixture("steps=null", f"epochs={epochs}"))
        assert together.steps == alone.steps
        assert together.epochs == pytest.approx(alone.epochs)


def test_a_run_that_stopped_goes_on_with_the_same_rows(mixture, tmp_path):
    class PowerCut(Exception):
        pass

    def cut(metrics):
        if metrics["step"] == 3:
            raise PowerCut

    train(mixture(), tmp_path / "whole")
    with pytest.raises(PowerCut):
        train(mixture(), tmp_path / "parts", sinks=[cut])
    train(mixture(), tmp_path / "parts", resume=True)
    assert losses(tmp_path / "parts").tolist() == losses(tmp_path / "whole").tolist()
    assert same_weights(tmp_path / "parts", tmp_path / "whole", 1e-12)
