"""An index against the model that made it: a small dual encoder, records of every shape."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from manyview import DualEncoder
from manyview.corpus import Corpus
from manyview.model import ImageTowerConfig, ModelConfig, RecordConfig, TextTowerConfig
from manyview.search import run_index, search


@pytest.fixture
def run(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    tiny = ModelConfig(
        embed_dim=8,
        image=ImageTowerConfig(size=32),
        text=TextTowerConfig(),
        record=RecordConfig(weights={"title": 2.0}, templates={"tags": "a picture of {text}"}),
    )
    DualEncoder(tiny).save_pretrained(tmp_path / "run" / "model")
    return tmp_path / "run"


def test_an_index_holds_what_encode_record_gives_also_after_the_weights_of_the_model_changed(
    run: Path, mixed: Corpus
) -> None:
    records = list(mixed.records("test"))
    config = run / "model" / "config.json"
    for weights in ({"title": 2.0}, {"title": 0.5, "image": 3.0}):
        content = json.loads(config.read_text())
        content["record"]["weights"] = weights
        config.write_text(json.dumps(content))
        model = DualEncoder.from_pretrained(run)
        index = run_index(run, model, mixed)
        assert index.weights == {"image": 1.0, "title": 1.0, "tags": 1.0, "caption": 1.0} | weights
        expected = model.encode_record([records[row] for row in index.records.rows])
        assert np.allclose(index.features, expected.numpy(), atol=1e-5)
        assert run_index(run, model, mixed).folder.stat().st_ino == index.folder.stat().st_ino  # not built again


def test_weights_of_a_search_give_what_encode_record_gives_under_them(run: Path, mixed: Corpus) -> None:
    model = DualEncoder.from_pretrained(run)
    index = run_index(run, model, mixed)
    records = list(mixed.records("test"))
    weights = {"image": 0.25, "tags": 4.0}
    scores = model.encode_record(records, weights | {"title": 2.0}) @ model.encode_text(["a red thing"])[0]
    expected = {record.id: score for record, score in zip(records, scores.tolist(), strict=True)}
    hits = search(model, index, text="a red thing", top=len(records), weights=weights)
    assert {hit.id: hit.score for hit in hits} == pytest.approx(expected, abs=1e-5)
