"""Laws of the towers: no sample looks at another, padding is nothing, unknown names are refused."""

import pytest
import torch

from manyview.errors import UsageError
from manyview.model import DualEncoder, ImageTowerConfig, ModelConfig, TextTowerConfig, train_wordpiece
from manyview.model.image_tower import build_image_tower
from manyview.model.ngrams import NgramTokenizer, pieces
from manyview.model.residual import ResidualTower, _StandardizedConv
from manyview.model.text_tower import build_text_tower

TINY_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}
WORDS = ["a red apple", "二只猫", "dinner with tomato and onion", "é", "a"]


def images(n, size=64):
    return torch.randint(0, 256, (n, 3, size, size), generator=torch.Generator().manual_seed(0)).to(torch.uint8)


@pytest.mark.parametrize(("name", "size"), [("residual", 64), ("test_vit", 160), ("resnet10t", 64)])
def test_an_image_has_the_same_features_in_any_batch(name, size):
    torch.manual_seed(0)
    tower = build_image_tower(ImageTowerConfig(name=name, size=size)).eval()
    batch = images(5, size)
    together = tower(batch)
    assert together.shape == (5, tower.width)
    torch.testing.assert_close(tower(batch[2:3])[0], together[2], atol=1e-4, rtol=1e-4)


def test_the_residual_tower_has_no_batch_statistics_even_in_training():
    torch.manual_seed(0)
    tower = ResidualTower().train()
    batch = images(6)
    torch.testing.assert_close(tower(batch)[:2], tower(batch[:2]), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("size", [32, 48, 64, 96])
def test_the_residual_tower_takes_any_fitting_size(size):
    assert ResidualTower()(images(2, size)).shape == (2, 256)


def test_residual_features_keep_their_scale_through_depth():
    torch.manual_seed(0)
    shallow, deep = ResidualTower(depths=(1, 1, 1)), ResidualTower(depths=(6, 6, 6))
    ratio = deep(images(8)).std() / shallow(images(8)).std()
    assert 0.5 < ratio < 2


@pytest.mark.parametrize("model_type", ["bert", "ernie", "roberta"])
@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_padding_does_not_change_a_text(model_type, pooling):
    torch.manual_seed(0)
    tokenizer = train_wordpiece(WORDS, 200)
    config = TextTowerConfig(name=model_type, options={**TINY_BERT, "pad_token_id": 0}, pooling=pooling)
    tower = build_text_tower(config, tokenizer.vocab_size).eval()
    together = tower(tokenizer(WORDS, 32))
    for i, text in enumerate(WORDS):
        torch.testing.assert_close(tower(tokenizer([text], 32))[0], together[i], atol=1e-5, rtol=1e-5)


def test_ngrams_are_words_and_grams_with_their_ends():
    assert list(pieces("apple")) == ["w apple", "g <app", "g appl", "g pple", "g ple>"]
    assert list(pieces("苹果")) == ["w 苹果", "c 苹", "c 果", "b 苹果"]
    assert list(pieces("a")) == ["w a"]


def test_a_bag_has_no_order_and_no_case_and_is_never_empty():
    tokenizer = NgramTokenizer(1_000)
    assert sorted(tokenizer.bag("Red, apple!", 64)) == sorted(tokenizer.bag("apple RED", 64))
    assert tokenizer.bag("!?", 64) == [0]
    assert tokenizer.bag("one two three", 2) == tokenizer.bag("one two", 64)
    batch = tokenizer(["one", "", "two words"], 64)
    assert batch["offsets"].tolist() == [0, len(tokenizer.bag("one", 64)), len(tokenizer.bag("one", 64)) + 1]


def test_the_wordpiece_vocabulary_knows_every_character_it_met():
    tokenizer = train_wordpiece([*WORDS, "龘"], 200)
    unknown = tokenizer.tokenizer.token_to_id("[UNK]")
    batch = tokenizer(["龘猫", "tomato", "red"], 16)
    assert unknown not in batch["input_ids"]
    assert (tokenizer(["쿺"], 16)["input_ids"] == unknown).any()


def test_wordpiece_cuts_to_the_limit_and_keeps_its_ends():
    tokenizer = train_wordpiece(WORDS, 200)
    cls, sep = (tokenizer.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    ids = tokenizer(["a red apple and onion and tomato", "a"], 5)
    assert ids["input_ids"].shape == (2, 5)
    assert ids["input_ids"][0, 0] == cls
    assert ids["input_ids"][0, -1] == sep
    assert ids["attention_mask"].sum(1).tolist() == [5, 3]


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"image": ImageTowerConfig(name="resnet51")}, "did you mean"),
        (
            {"image": ImageTowerConfig(name="residual", options={"width": 3})},
            "does not fit the residual tower",
        ),
        ({"image": ImageTowerConfig(name="test_vit", options={"nonsense": 3})}, "timm cannot make"),
        ({"text": TextTowerConfig(name="bertt")}, "no text tower named 'bertt'"),
        ({"text": TextTowerConfig(options={"bucket": 3})}, "does not fit the ngrams tower"),
        (
            {"text": TextTowerConfig(name="bert", options={"hidden_size": 7})},
            "transformers cannot make 'bert'",
        ),
    ],
)
def test_what_no_library_knows_is_refused_in_a_sentence(config, sentence):
    with pytest.raises(UsageError, match=sentence):
        DualEncoder(ModelConfig(**config), train_wordpiece(WORDS, 200))


def test_factors_in_the_kernels_are_factors_around_the_convolution():
    conv = _StandardizedConv(3, 5, 3, 2)
    torch.nn.init.normal_(conv.kernel_gain)
    x = torch.randn(2, 3, 9, 9)
    after = torch.tensor(-0.7)
    torch.testing.assert_close(conv(x, before=3.0, after=after), after * conv(3.0 * x), atol=1e-5, rtol=1e-5)


def test_kernels_are_standardized():
    conv = _StandardizedConv(4, 6, 3, 1)
    torch.nn.init.normal_(conv.weight, mean=3.0, std=0.5)
    kernels = torch.stack([conv(basis[None])[0, :, 1, 1] for basis in _unit_patches(4)]) - conv.bias
    torch.testing.assert_close(kernels.mean(0), torch.zeros(6), atol=1e-4, rtol=0)
    torch.testing.assert_close(kernels.square().sum(0), torch.ones(6), atol=1e-3, rtol=0)


def _unit_patches(channels):
    """Every 3 x 3 input with a single one."""
    return torch.eye(channels * 9).view(-1, channels, 3, 3)
