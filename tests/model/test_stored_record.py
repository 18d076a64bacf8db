"""Laws of stored record weights: the model has them, all else stays, and what is wrong is said."""

import json

import pytest
import torch

from manyview import DualEncoder
from manyview.errors import DataError, UsageError
from manyview.model import ModelConfig, RecordConfig, TextTowerConfig, store_record_weights


@pytest.fixture
def folder(tmp_path):
    record = RecordConfig(langs=("en",), weights={"title": 3.0})
    text = TextTowerConfig(options={"buckets": 500, "width": 16})
    DualEncoder(ModelConfig(embed_dim=24, text=text, record=record)).save_pretrained(tmp_path / "run" / "model")
    return tmp_path / "run" / "model"


def test_stored_weights_are_the_models_and_all_else_stays(folder):
    before = DualEncoder.from_pretrained(folder)
    file = store_record_weights(folder.parent, {"image": 1.0, "tags": 0.5})
    assert file == folder / "config.json"
    after = DualEncoder.from_pretrained(folder)
    record = before.config.record.model_copy(update={"weights": {"image": 1.0, "tags": 0.5}})
    assert after.config == before.config.model_copy(update={"record": record})
    for name, weight in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], weight, atol=0, rtol=0)


def test_a_model_saved_before_records_opens_with_weights_of_one_and_takes_others(folder):
    config = json.loads((folder / "config.json").read_text())
    del config["record"]
    (folder / "config.json").write_text(json.dumps(config))
    assert DualEncoder.from_pretrained(folder).config.record == RecordConfig()
    store_record_weights(folder, {"tags": 2.0})
    assert DualEncoder.from_pretrained(folder).config.record == RecordConfig(weights={"tags": 2.0})


def test_no_model_a_damaged_one_and_bad_weights_are_named(folder, tmp_path):
    with pytest.raises(UsageError, match="no model at"):
        store_record_weights(tmp_path, {})
    with pytest.raises(UsageError, match="weight of the view 'tags' is -1"):
        store_record_weights(folder, {"tags": -1.0})
    (folder / "config.json").write_text("[]")
    with pytest.raises(DataError, match="damaged"):
        store_record_weights(folder, {"tags": 1.0})
