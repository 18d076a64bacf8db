"""Laws of the dual encoder: unit rows, saved = loaded, absent rows zero, damaged folders named."""

import io
import json

import numpy as np
import pytest
import torch
from PIL import Image

from manyview import DualEncoder
from manyview.errors import DataError, UsageError
from manyview.model import ImageTowerConfig, ModelConfig, TextTowerConfig, train_wordpiece

TEXTS = ["a red apple", "红苹果", "", "dinner"]
PICTURES = [Image.fromarray(np.random.default_rng(i).integers(0, 256, (50, 60, 3), np.uint8)) for i in range(3)]


def small() -> DualEncoder:
    torch.manual_seed(0)
    return DualEncoder(ModelConfig(embed_dim=24, text=TextTowerConfig(options={"buckets": 500, "width": 16})))


def transformer() -> DualEncoder:
    torch.manual_seed(0)
    options = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    config = ModelConfig(
        embed_dim=24,
        image=ImageTowerConfig(name="test_vit", size=160),
        text=TextTowerConfig(name="bert", options=options),
    )
    return DualEncoder(config, train_wordpiece(TEXTS, 100)).eval()


@pytest.mark.parametrize("make", [small, transformer])
def test_encoded_rows_have_length_one_and_do_not_depend_on_the_batch_size(make):
    model = make()
    for encode, items in ((model.encode_text, TEXTS), (model.encode_image, PICTURES)):
        rows = encode(items)
        assert rows.dtype == torch.float32
        torch.testing.assert_close(rows.norm(dim=1), torch.ones(len(items)))
        torch.testing.assert_close(encode(items, batch_size=1), rows, atol=1e-5, rtol=1e-5)
        assert encode([]).shape == (0, 24)


@pytest.mark.parametrize("make", [small, transformer])
def test_a_loaded_model_is_the_saved_one(make, tmp_path):
    model = make()
    model.save_pretrained(tmp_path / "run" / "model")
    for path in (tmp_path / "run", tmp_path / "run" / "model"):
        loaded = DualEncoder.from_pretrained(path)
        assert loaded.config == model.config
        torch.testing.assert_close(loaded.encode_text(TEXTS), model.encode_text(TEXTS), atol=0, rtol=0)
        torch.testing.assert_close(loaded.encode_image(PICTURES), model.encode_image(PICTURES), atol=0, rtol=0)
        assert loaded.logit_scale == model.logit_scale


def test_a_model_saved_before_marks_and_symbols_counted_encodes_as_it_was_trained(tmp_path):
    """Its config.json has no `word_rules`."""
    torch.manual_seed(0)
    text = TextTowerConfig(options={"buckets": 500, "width": 16}, word_rules=1)
    old = DualEncoder(ModelConfig(embed_dim=24, text=text))
    old.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["text"]["word_rules"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    loaded = DualEncoder.from_pretrained(tmp_path)
    texts = ["หมู", "หมี", "दिल", "🐶", "red apple", "红苹果"]
    torch.testing.assert_close(loaded.encode_text(texts), old.encode_text(texts), atol=0, rtol=0)
    assert torch.equal(loaded.encode_text("หมู"), loaded.encode_text("หมี"))
    loaded.save_pretrained(tmp_path)
    assert DualEncoder.from_pretrained(tmp_path).config.text.word_rules == 1


def test_a_model_whose_saving_was_cut_short_is_no_model(tmp_path, monkeypatch):
    model = small()
    model.save_pretrained(tmp_path)
    monkeypatch.setattr("manyview.model.dual_encoder.save_file", _full_disk)
    with pytest.raises(OSError, match="full"):
        model.save_pretrained(tmp_path)
    with pytest.raises(UsageError, match="no model"):
        DualEncoder.from_pretrained(tmp_path)


def _full_disk(*_):
    raise OSError("full")


def test_the_card_says_what_the_model_is_and_where_it_comes_from(tmp_path):
    small().save_pretrained(tmp_path, "From the moon.")
    card = (tmp_path / "README.md").read_text()
    assert card.startswith("---\nlibrary_name: manyview\n")
    assert "From the moon." in card
    assert "`residual` at 64 pixels" in card
    assert "vectors of 24 numbers" in card


def test_bytes_paths_and_pictures_are_the_same(tmp_path):
    buffer = io.BytesIO()
    PICTURES[0].save(buffer, "PNG")
    (tmp_path / "picture.png").write_bytes(buffer.getvalue())
    model = small()
    rows = model.encode_image([PICTURES[0], buffer.getvalue(), tmp_path / "picture.png", str(tmp_path / "picture.png")])
    torch.testing.assert_close(rows, rows[:1].expand(4, -1), atol=1e-6, rtol=0)
    torch.testing.assert_close(model.encode_image(PICTURES[0]), rows[:1], atol=1e-6, rtol=0)


def test_encoding_leaves_a_model_in_training_in_training():
    model = small().train()
    model.encode_text(TEXTS)
    assert model.training


def test_features_of_absent_texts_are_zero_and_the_others_in_their_rows():
    model = small()
    present = torch.tensor([True, False, True, False])
    pixels = torch.zeros(4, 3, 64, 64, dtype=torch.uint8)
    features, scale = model(
        {"image": pixels},
        {"title": model.tokenize(["a", "b"], 8), "none": model.tokenize([], 8)},
        {"title": present, "none": torch.zeros(4, dtype=torch.bool)},
    )
    torch.testing.assert_close(features["title"][present], model.encode_text(["a", "b"]))
    assert not features["title"][~present].any()
    assert not features["none"].any()
    assert features["image"].shape == (4, 24)
    torch.testing.assert_close(scale.item(), 1 / 0.07)


def test_the_scale_is_clamped_at_one_hundred():
    model = small()
    model.logit_scale.data.fill_(9.0)
    model.clamp_logit_scale()
    assert model.logit_scale.exp().item() == pytest.approx(100)


def test_similarity_is_the_cosine():
    model = small()
    a, b = model.encode_text(TEXTS), model.encode_image(PICTURES)
    expected = torch.nn.functional.cosine_similarity(a[:, None], b[None], dim=-1)
    torch.testing.assert_close(model.similarity(a, b), expected)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UsageError, match="no model at"):
        DualEncoder.from_pretrained(tmp_path)


@pytest.mark.parametrize(("file", "content"), [("config.json", b"{}}"), ("model.safetensors", b"cut short")])
def test_a_damaged_model_is_named(tmp_path, file, content):
    small().save_pretrained(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(DataError, match="is damaged"):
        DualEncoder.from_pretrained(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path):
    small().save_pretrained(tmp_path)
    config = (tmp_path / "config.json").read_text().replace('"embed_dim": 24', '"embed_dim": 32')
    (tmp_path / "config.json").write_text(config)
    with pytest.raises(DataError, match="another model than its config"):
        DualEncoder.from_pretrained(tmp_path)


def bert_of(max_tokens):
    torch.manual_seed(0)
    options = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    text = TextTowerConfig(name="bert", options=options, max_tokens=max_tokens)
    return DualEncoder(ModelConfig(embed_dim=24, text=text), train_wordpiece(WORDS, 300)).eval()


def ngrams_of(max_tokens):
    torch.manual_seed(0)
    text = TextTowerConfig(options={"buckets": 500, "width": 16}, max_tokens=max_tokens)
    return DualEncoder(ModelConfig(embed_dim=24, text=text))


WORDS = [f"{letter}{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"] * 4


@pytest.mark.parametrize(("make", "words"), [(bert_of, 18), (ngrams_of, 20)])
def test_texts_are_cut_at_the_length_the_model_was_trained_on_and_a_warning_says_so_once(make, words, tmp_path):
    make(20).save_pretrained(tmp_path)
    model = DualEncoder.from_pretrained(tmp_path)
    fits = " ".join(WORDS[:words])
    rows = model.encode_text([fits])
    with pytest.warns(
        UserWarning, match="texts longer than 20 tokens, the length that this model was trained on, are cut"
    ):
        cut = model.encode_text([fits, " ".join(WORDS)])
    torch.testing.assert_close(cut, rows.expand(2, -1), atol=1e-5, rtol=1e-5)
    model.encode_text(" ".join(WORDS))  # no second warning


@pytest.mark.parametrize(("make", "words"), [(bert_of, 62), (ngrams_of, 64)])
def test_a_model_saved_without_its_length_encodes_64_tokens(make, words, tmp_path):
    make(None).save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    del config["text"]["max_tokens"]
    (tmp_path / "config.json").write_text(json.dumps(config))
    model = DualEncoder.from_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="longer than 64 tokens"):
        cut = model.encode_text(" ".join(WORDS))
    torch.testing.assert_close(cut, model.encode_text(" ".join(WORDS[:words])), atol=1e-5, rtol=1e-5)


def test_a_single_item_is_a_batch_of_one(tmp_path):
    model = small()
    PICTURES[0].save(tmp_path / "a.png")
    for item in (PICTURES[0], tmp_path / "a.png", str(tmp_path / "a.png"), (tmp_path / "a.png").read_bytes()):
        torch.testing.assert_close(model.encode_image(item), model.encode_image([item]))
        assert model.encode_image(item).shape == (1, 24)
    torch.testing.assert_close(model.encode_text("a red apple"), model.encode_text(["a red apple"]))
    with pytest.raises(DataError, match=r"nowhere\.png"):
        model.encode_image("nowhere.png")


def test_an_unreadable_picture_is_a_data_error():
    with pytest.raises(DataError, match="image"):
        small().encode_image([b"no picture"])


def views(n, *sizes):
    draw = torch.Generator().manual_seed(1)
    return {
        f"image.{i}": torch.randint(0, 256, (n, 3, size, size), generator=draw).to(torch.uint8)
        for i, size in enumerate(sizes)
    }


@pytest.mark.parametrize("name", ["residual", "resnet10t"])
def test_a_view_has_the_features_it_has_alone_whatever_goes_with_it(name):
    """In training too: where a tower takes statistics of its batch, views stay apart."""
    torch.manual_seed(0)
    model = DualEncoder(ModelConfig(embed_dim=24, image=ImageTowerConfig(name=name, size=64))).train()
    images = views(4, 64, 32, 64)
    texts = {"title": ["a", "red apple", "b"], "tags": ["tea"]}
    tokens = {view: model.tokenize(of, 8) for view, of in texts.items()}
    present = {"title": torch.tensor([True, False, True, True]), "tags": torch.tensor([False, True, False, False])}
    features, scale = model(images, tokens, present)
    for view, of in images.items():
        torch.testing.assert_close(features[view], model.image_features(of), atol=1e-5, rtol=1e-5)
    for view, of in tokens.items():
        there = present[view]
        torch.testing.assert_close(features[view][there], model.text_features(of), atol=1e-5, rtol=1e-5)
        assert not features[view][~there].any()
    assert scale == model.logit_scale.exp()


@pytest.mark.parametrize("name", ["residual", "resnet10t"])
def test_only_images_that_are_there_are_encoded(name):
    """And where there is none the tower takes part with a gradient of zero, and keeps its statistics."""
    torch.manual_seed(0)
    model = DualEncoder(ModelConfig(embed_dim=24, image=ImageTowerConfig(name=name, size=64))).train()
    images = views(3, 64, 32)
    there = torch.tensor([False, True, True, False, True])
    present = {**dict.fromkeys(images, there), "title": torch.ones(5, dtype=torch.bool)}
    tokens = {"title": model.tokenize(["a", "b", "c", "d", "e"], 8)}
    features, _ = model(images, tokens, present)
    for view, of in images.items():
        torch.testing.assert_close(features[view][there], model.image_features(of), atol=1e-5, rtol=1e-5)
        assert not features[view][~there].any()
    before = {key: of.clone() for key, of in model.state_dict().items()}
    none = {view: of[:0] for view, of in images.items()}
    absent = dict.fromkeys(images, torch.zeros(5, dtype=torch.bool))
    features, _ = model(none, tokens, {**present, **absent})
    assert all(torch.equal(of, before[key]) for key, of in model.state_dict().items())
    assert all(module.training for module in model.modules())
    sum(of.sum() for of in features.values()).backward()
    gradients = [parameter.grad for parameter in model.image_tower.parameters()]
    assert all(of is not None and not of.any() for of in gradients)
    assert any(parameter.grad.any() for parameter in model.text_tower.parameters())
