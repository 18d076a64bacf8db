"""Laws of packed texts: what is computed without padding is what is computed with it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manyview.model import TextTowerConfig, train_wordpiece
from manyview.model.attention import short_attention
from manyview.model.packed import Packing, padded
from manyview.model.text_tower import PACKED, TransformerTower

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 70,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}
TEXTS = [
    "a red apple",
    "二只猫",
    "dinner with tomato and onion",
    "é",
    "a",
    "b",
    "an onion, a tomato and an apple",
    "two red",
]


@pytest.fixture(scope="module")
def tokenizer():
    return train_wordpiece(TEXTS, 200)


def towers(name, pooling, tokenizer):
    """One tower twice: without padding, and with."""
    config = TextTowerConfig(name=name, options=SMALL, pooling=pooling)
    packed, plain = (
        TransformerTower(config, tokenizer.vocab_size, tokenizer.pad, packed=packed) for packed in (True, False)
    )
    assert packed.packed
    assert not plain.packed
    plain.load_state_dict(packed.state_dict())
    return packed, plain


@pytest.mark.parametrize("name", sorted(PACKED))
@pytest.mark.parametrize("pooling", ["cls", "mean", "pooler"])
def test_packed_texts_are_the_padded_ones_forward_and_backward(name, pooling, tokenizer):
    torch.manual_seed(0)
    tokens = tokenizer(TEXTS, 32)
    seen = torch.randn(len(TEXTS), 32)
    packed, plain = towers(name, pooling, tokenizer)
    outputs = [tower(tokens) for tower in (packed, plain)]
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)
    for of in outputs:
        (of * seen).sum().backward()
    other = dict(plain.named_parameters())
    moved = 0
    for parameter_name, parameter in packed.named_parameters():
        expected = other[parameter_name].grad
        if expected is None or parameter.grad is None:
            assert not any(of is not None and of.any() for of in (expected, parameter.grad)), parameter_name
            continue
        moved += 1
        near = 1e-6 * max(10.0, float(expected.abs().max()))  # sums over all tokens round at the size of their parts
        torch.testing.assert_close(parameter.grad, expected, atol=near, rtol=1e-5, msg=parameter_name)
    assert moved > 30


def test_other_families_are_padded_by_name(tokenizer):
    options = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64}
    torch.manual_seed(0)
    tower = TransformerTower(TextTowerConfig(name="electra", options=options), tokenizer.vocab_size, tokenizer.pad)
    assert not tower.packed
    together = tower.eval()(tokenizer(TEXTS, 32))
    for text, of in zip(TEXTS, together, strict=True):
        torch.testing.assert_close(tower(tokenizer([text], 32))[0], of, atol=1e-5, rtol=1e-5)
    with torch.inference_mode():  # where texts of like length are padded together
        many = tower(tokenizer(TEXTS * 20, 32))
    torch.testing.assert_close(many, together.repeat(20, 1), atol=1e-5, rtol=1e-5)


def test_dropout_works_without_padding_too(tokenizer):
    options = {**SMALL, "attention_probs_dropout_prob": 0.5}
    tower = TransformerTower(TextTowerConfig(name="bert", options=options), tokenizer.vocab_size, tokenizer.pad)
    tokens = tokenizer(TEXTS, 32)
    assert not torch.equal(tower(tokens), tower(tokens))
    tower.eval()
    assert torch.equal(tower(tokens), tower(tokens))


@settings(deadline=None)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=20))
def test_a_packing_moves_every_token_once_and_back(lengths):
    lengths = torch.tensor(lengths, dtype=torch.int32)
    packing = Packing.of(lengths)
    assert packing.index.sort().values.tolist() == list(range(int(lengths.sum())))
    owners = torch.arange(len(lengths)).repeat_interleave(lengths)
    assert torch.equal(owners[packing.index], packing.order.repeat_interleave(lengths[packing.order]))
    assert torch.equal(packing.starts.diff(), lengths[packing.order][:-1].long())
    assert packing.positions[packing.starts].eq(0).all()
    assert sum(texts * tokens for texts, tokens in packing.groups) == lengths.sum()
    ids = torch.arange(int(lengths.sum()), dtype=torch.int32)
    rows = padded({"ids": ids, "lengths": lengths}, -1)
    assert rows["input_ids"][rows["attention_mask"].bool()].tolist() == ids.tolist()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_short_attention_is_attention(dtype):
    q, k, v = (torch.randn(3, 2, 7, 8, dtype=torch.float64, requires_grad=True) for _ in range(3))
    expected = torch.softmax(q @ k.mT * 0.3, -1) @ v
    low = [of.detach().to(dtype).requires_grad_() for of in (q, k, v)]
    got = short_attention(*low, 0.3)
    near = {"atol": 3e-2, "rtol": 3e-2} if dtype == torch.bfloat16 else {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(got.double(), expected, **near)
    seen = torch.randn_like(expected)
    for expected_grad, grad in zip(
        torch.autograd.grad(expected, (q, k, v), seen), torch.autograd.grad(got, low, seen.to(dtype)), strict=True
    ):
        torch.testing.assert_close(grad.double(), expected_grad, **near)
