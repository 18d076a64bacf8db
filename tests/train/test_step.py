"""Laws of a step: its loss is the definition's on the batch, and rows count by the weight of their text."""

from dataclasses import replace

import pytest
import torch

from manyview.corpus import Corpus, Text, write_corpus
from manyview.distributed import ALONE
from manyview.objective import plain_multi_view_loss
from manyview.train import batch_source, dry_run, read_metrics, train
from manyview.train.optimizer import build_optimizers
from manyview.train.run import new_model
from manyview.train.spread import spread
from manyview.train.state import Progress, TrainState
from manyview.train.step import take_step

WEIGHTED = ("views.texts.tags.weighted=true", "precision=float32")


@pytest.fixture
def weighed(corpus, tmp_path):
    """The corpus with another weight for each record's tags: a fourth, one, four, sixteen times."""
    records = [
        replace(record, texts=tuple(replace(text, weight=_weight(record.id, text)) for text in record.texts))
        for record in Corpus.open(corpus).records("train")
    ]
    write_corpus(tmp_path / "weighed", {"train": records}, name="weighed")
    return tmp_path / "weighed"


def _weight(name: str, text: Text) -> float:
    return 4.0 ** (int(name.split("/")[1]) % 4 - 1) if text.kind == "tags" else 1.0


@pytest.mark.parametrize("chunk_size", ["null", "3"])
def test_the_loss_of_a_step_counts_rows_by_the_weight_of_their_text(config, weighed, chunk_size):
    settings = config(*WEIGHTED, f"corpus={weighed}", f"chunk_size={chunk_size}")
    model = new_model(settings, None, torch.device("cpu"))
    batch = batch_source(settings, [Corpus.open(weighed)], model.tokenize)[0]
    features, scale = model(batch.images, batch.tokens, batch.present)
    pairs = [pair.pair() for pair in settings.objective.pairs]
    given = {"present": batch.present, "identities": batch.identities}
    expected = plain_multi_view_loss(features, pairs, scale, **given, weights=batch.weights)
    unweighted = plain_multi_view_loss(features, pairs, scale, **given)
    expected.loss.backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]

    state = TrainState(model, build_optimizers(model, settings.optimizer), None, 0, Progress())
    outcome = take_step(settings, state, spread(model, ALONE, recompute=False), batch, 1)
    assert len(set(batch.weights["tags"].tolist())) > 2
    torch.testing.assert_close(outcome.loss.loss, expected.loss)
    assert abs(outcome.loss.loss - unweighted.loss) > 1e-4
    norm = torch.stack([gradient.norm() for gradient in gradients]).norm()
    assert outcome.grad_norm == pytest.approx(norm.item(), rel=1e-4)


def test_texts_of_weight_one_train_the_same_bits_weighted_or_not(config, tmp_path):
    plain = train(config("precision=float32"), tmp_path / "plain").state_dict()
    weighted = train(config(*WEIGHTED), tmp_path / "weighted").state_dict()
    assert all(torch.equal(plain[name], weighted[name]) for name in plain)


def test_a_weighted_recipe_is_tried_dry_and_trains(config, weighed, tmp_path):
    settings = config(f"corpus={weighed}", name="gcl")
    assert dry_run(settings).batch.weights["query"].max() == 16
    train(settings, tmp_path / "run")
    assert len(read_metrics(tmp_path / "run" / "metrics.jsonl")) == 6
