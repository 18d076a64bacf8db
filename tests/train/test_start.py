"""Laws of fine-tuning: what is started from is what was there, what is locked stays, what is merged is the same."""

import json

import pytest
import torch

from manyview import DualEncoder
from manyview.errors import UsageError
from manyview.model import DualEncoder as Model
from manyview.model import ModelConfig
from manyview.train import train
from manyview.train.layers import layers_above, repeated_layers
from manyview.train.start import interpolated

VIT = "model.image={name: test_vit, size: 160, options: {}}"
BERT = "{hidden_size: 16, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 16}"


@pytest.fixture(scope="module")
def first(tmp_path_factory):
    """A run to start from."""

    def of(config):
        out = tmp_path_factory.getbasetemp() / "first"
        if not out.exists():
            train(config("seed=5"), out)
        return out

    return of


def weights(path):
    return DualEncoder.from_pretrained(path).state_dict()


def test_a_run_starts_where_another_ended(config, tmp_path, first):
    start = first(config)
    told = f"start.model={json.dumps(str(start))}"
    train(config(told, "steps=1", "optimizer.learning_rate=1e-12", "model.embed_dim=99"), tmp_path / "run")
    before, after = weights(start), weights(tmp_path / "run")
    assert after.keys() == before.keys()
    for name, of in before.items():
        torch.testing.assert_close(after[name], of, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("lock", "moved"), [("image", "text_tower"), ("text", "image_tower")])
def test_a_locked_tower_stays_as_it_is_and_the_rest_learns(config, tmp_path, first, lock, moved):
    start = first(config)
    train(config(f"start.model={json.dumps(str(start))}", f"start.lock=[{lock}]"), tmp_path / "run")
    before, after = weights(start), weights(tmp_path / "run")
    for name, of in before.items():
        if name.startswith(f"{lock}_tower"):
            assert torch.equal(of, after[name]), name
    assert any(not torch.equal(of, after[name]) for name, of in before.items() if name.startswith(moved))
    assert not torch.equal(before[f"{lock}_projection.weight"], after[f"{lock}_projection.weight"])


def test_low_rank_changes_are_of_low_rank_and_merged_into_what_is_left(config, tmp_path, first):
    start = first(config)
    settings = (f"start.model={json.dumps(str(start))}", "start.lora_rank=2", "optimizer.learning_rate=0.01")
    train(config(*settings), tmp_path / "run")
    before, after = weights(start), weights(tmp_path / "run")
    assert after.keys() == before.keys()
    changed = [name for name, of in before.items() if "_tower" in name and not torch.equal(of, after[name])]
    assert changed
    for name in changed:
        values = torch.linalg.svdvals(after[name] - before[name])
        assert values[0] > 1e-5
        assert values[2:].max() < 1e-4 * values[0]


def test_low_rank_changes_survive_a_resume_to_the_bit(config, tmp_path, first):
    settings = (f"start.model={json.dumps(str(first(config)))}", "start.lora_rank=2")

    def stop(metrics):
        if metrics["step"] == 5:
            raise InterruptedError

    train(config(*settings), tmp_path / "whole")
    with pytest.raises(InterruptedError):
        train(config(*settings), tmp_path / "parts", sinks=[stop])
    train(config(*settings), tmp_path / "parts", resume=True)
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(of, parts[name]) for name, of in whole.items())


def test_wise_ft_lies_on_the_line_between_start_and_end(config, tmp_path, first):
    told = f"start.model={json.dumps(str(first(config)))}"
    train(config(told), tmp_path / "end")
    train(config(told, "start.wise_ft=0.25"), tmp_path / "mixed")
    start, end, mixed = weights(first(config)), weights(tmp_path / "end"), weights(tmp_path / "mixed")
    for name, of in mixed.items():
        torch.testing.assert_close(of, 0.75 * start[name] + 0.25 * end[name], atol=1e-5, rtol=1e-5)
    assert torch.equal(interpolated(start, end, 1.0)["logit_scale"], end["logit_scale"])


def test_towers_are_filled_from_folders_of_timm_and_transformers(config, tmp_path):
    import timm
    from safetensors.torch import save_file
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(11)
    image = timm.create_model("test_vit", num_classes=7)
    (tmp_path / "timm").mkdir()
    save_file(image.state_dict(), tmp_path / "timm" / "model.safetensors")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "red", "green", "square", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    text = BertModel(BertConfig(vocab_size=12, **json.loads(json.dumps(yaml_of(BERT)))))
    text.save_pretrained(tmp_path / "bert")
    BertTokenizerFast(str(tmp_path / "vocab.txt")).save_pretrained(tmp_path / "bert")

    settings = (f"start.image_tower={tmp_path / 'timm'}", f"start.text_tower={tmp_path / 'bert'}")
    model = train(config(VIT, *settings, "start.lock=[image, text]", "steps=1"), tmp_path / "run")
    for name, of in text.state_dict().items():
        assert torch.equal(model.text_tower.encoder.state_dict()[name], of), name
    mine = model.image_tower.backbone.state_dict()
    assert all(torch.equal(mine[name], of) for name, of in image.state_dict().items() if not name.startswith("head."))
    ids = model.tokenize(["red squares"], 8)["ids"].tolist()
    assert [words[i] for i in ids] == ["[CLS]", "red", "square", "##s", "[SEP]"]


def yaml_of(text):
    import yaml

    return yaml.safe_load(text)


def test_layers_above_are_counted_from_the_top(config):
    model = Model(config("model.image.options={widths: [8, 16, 16], depths: [1, 1, 1]}").model)
    above = layers_above(model)
    assert above["image_tower.stem.weight"] == 4
    assert [above[f"image_tower.blocks.{i}.first.weight"] for i in range(3)] == [3, 2, 1]
    assert above["image_projection.weight"] == above["logit_scale"] == 0


def test_the_layers_of_a_vit_are_found_though_the_last_is_of_another_kind(config):
    options = "model.image.options={class_token: true, global_pool: token, depth: 3}"
    model = Model(config("model.image.name=test_vit", "model.image.size=32", options).model)
    blocks = list(model.image_tower.backbone.blocks)
    assert len({type(block) for block in blocks}) == 2
    assert list(repeated_layers(model.image_tower)) == blocks


def test_layer_decay_gives_each_layer_its_share_of_the_rate(config):
    from manyview.train.optimizer import build_optimizers

    settings = config("optimizer.layer_decay=0.5", "optimizer.text_multiplier=1", "optimizer.learning_rate=1")
    model = Model(settings.model)
    peaks = {id(p): g["peak"] for g in build_optimizers(model, settings.optimizer).param_groups for p in g["params"]}
    for name, parameter in model.named_parameters():
        expected = 0.5 ** layers_above(model)[name] * (
            settings.optimizer.scale_multiplier if name == "logit_scale" else 1
        )
        assert peaks[id(parameter)] == pytest.approx(expected), name


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (("start.model=nowhere",), "no model at nowhere"),
        (("start.model=nowhere", "start.text_tower=x"), "start.model brings both towers"),
        (("start.text_tower=nowhere",), r"there is no nowhere/config\.json"),
        (("start.image_tower=nowhere",), "is for towers of timm"),
        (("start.image_tower=nowhere", VIT), "no weights at nowhere"),
        (("start.lora_rank=4", "start.lock=[image, text]"), "linear layers in a tower that is not locked"),
    ],
)
def test_what_cannot_be_started_from_is_a_sentence(config, tmp_path, wrong, sentence):
    with pytest.raises(UsageError, match=sentence):
        train(config(*wrong), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_wise_ft_without_a_start_is_refused(config):
    with pytest.raises(UsageError, match=r"start\.wise_ft needs start\.model"):
        config("start.wise_ft=0.5")
    assert ModelConfig()
