"""Laws of the towers: no sample looks at another, padding is nothing, unknown names are refused."""

import pytest
import timm
import torch
from timm.layers.attention import Attention
from torch import nn
from torch.nn import functional

from manyview.errors import UsageError
from manyview.model import DualEncoder, ImageTowerConfig, ModelConfig, TextTowerConfig, train_wordpiece
from manyview.model.image_tower import build_image_tower
from manyview.model.ngrams import NgramTokenizer, pieces
from manyview.model.residual import ResidualTower, _StandardizedConv
from manyview.model.timm_tower import PatchEmbedding, PooledBlock

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


def test_patches_are_embedded_as_the_convolution_does_it():
    torch.manual_seed(0)
    tower = build_image_tower(ImageTowerConfig(name="test_vit", size=160))
    fast = tower.backbone.patch_embed.proj
    assert isinstance(fast, PatchEmbedding)
    x = torch.randn(2, 3, 37, 50)
    plain = functional.conv2d(x, fast.weight, fast.bias, stride=fast.stride)
    torch.testing.assert_close(fast(x), plain, atol=1e-5, rtol=1e-5)
    seen = torch.randn_like(plain)
    for grad, expected in zip(
        *(torch.autograd.grad(of, (fast.weight, fast.bias), seen) for of in (fast(x), plain)), strict=True
    ):
        torch.testing.assert_close(grad, expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("pool", "is_pooled"), [("token", True), ("avg", False)])
def test_only_the_token_that_is_read_goes_through_the_last_mlp(pool, is_pooled):
    torch.manual_seed(0)
    options = {"global_pool": pool, "class_token": True, "embed_dim": 32, "depth": 2, "num_heads": 2}
    tower = build_image_tower(ImageTowerConfig(name="vit_tiny_patch16_224", size=64, options=options)).eval()
    plain = timm.create_model("vit_tiny_patch16_224", img_size=64, num_classes=0, **options).eval()
    plain.load_state_dict(tower.backbone.state_dict())
    assert isinstance(tower.backbone.blocks[-1], PooledBlock) == is_pooled
    x = torch.randn(3, 3, 64, 64)
    features = [backbone(x) for backbone in (tower.backbone, plain)]
    torch.testing.assert_close(*features, atol=1e-5, rtol=1e-5)
    seen = torch.randn_like(features[0])
    for of in features:
        (of * seen).sum().backward()
    expected = dict(plain.named_parameters())
    for name, parameter in tower.backbone.named_parameters():
        torch.testing.assert_close(parameter.grad, expected[name].grad, atol=1e-4, rtol=1e-4, msg=name)


@pytest.mark.parametrize("other", [{"stride": 2}, {"padding": 1, "stride": 4}, {"groups": 2, "stride": 4}])
def test_other_convolutions_stay_what_they_are(other):
    convolution = nn.Conv2d(4, 4, 4, **other)
    PatchEmbedding.instead_of(convolution)
    assert type(convolution) is nn.Conv2d


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_the_attention_that_is_chosen_changes_nothing(precision):
    torch.manual_seed(0)
    tower, batch = build_image_tower(ImageTowerConfig(name="test_vit", size=160)), images(2, 160)
    attention = next(module for module in tower.modules() if isinstance(module, Attention))
    found = []
    for chosen in (True, False):
        if not chosen:
            for module in tower.modules():
                module._forward_pre_hooks.clear()
                if isinstance(module, Attention):
                    module.fused_attn = True
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == torch.bfloat16):
            features = tower(batch)
        features.float().square().sum().backward()
        assert attention.fused_attn == (not chosen or precision == torch.float32)
        found.append((features.detach().float(), attention.qkv.weight.grad.clone()))
        tower.zero_grad()
    near = 2e-2 if precision == torch.bfloat16 else 1e-5
    for one, other in zip(*found, strict=True):
        assert (one - other).norm() <= near * other.norm()


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


def test_ngrams_are_words_and_grams_with_their_ends():
    assert list(pieces("apple")) == ["w apple", "g <app", "g appl", "g pple", "g ple>"]
    assert list(pieces("苹果")) == ["w 苹果", "c 苹", "c 果", "b 苹果"]
    assert list(pieces("a")) == ["w a"]


def test_a_bag_has_no_order_and_no_case_and_is_never_empty():
    tokenizer = NgramTokenizer(1_000)
    assert sorted(tokenizer.bag("Red, apple!", 64)) == sorted(tokenizer.bag("apple RED", 64))
    assert tokenizer.bag("", 64) == tokenizer.bag(" \n", 64) == [0]
    assert tokenizer.bag("one two three", 2) == tokenizer.bag("one two", 64)
    batch = tokenizer(["one", "", "two words"], 64)
    assert batch["lengths"].tolist() == [len(tokenizer.bag(text, 64)) for text in ("one", "", "two words")]


def test_the_wordpiece_vocabulary_knows_every_character_it_met():
    tokenizer = train_wordpiece([*WORDS, "龘"], 200)
    unknown = tokenizer.tokenizer.token_to_id("[UNK]")
    batch = tokenizer(["龘猫", "tomato", "red"], 16)
    assert unknown not in batch["ids"]
    assert (tokenizer(["쿺"], 16)["ids"] == unknown).any()


def test_wordpiece_cuts_to_the_limit_and_keeps_its_ends():
    tokenizer = train_wordpiece(WORDS, 200)
    cls, sep = (tokenizer.tokenizer.token_to_id(token) for token in ("[CLS]", "[SEP]"))
    ids = tokenizer(["a red apple and onion and tomato", "a"], 5)
    assert ids["lengths"].tolist() == [5, 3]
    assert ids["ids"][[0, 5]].tolist() == [cls, cls]
    assert ids["ids"][[4, 7]].tolist() == [sep, sep]


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
