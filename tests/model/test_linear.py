"""Laws of the linear layers: torch's own results, in bfloat16 by another way and no less exact."""

import pytest
import torch
from torch import nn

from manyview.model.linear import Linear, linear


@pytest.fixture
def slow(monkeypatch):
    """Whether this processor multiplies bfloat16 slowly."""
    return lambda is_slow: monkeypatch.setattr("manyview.model.linear.has_fast_bfloat16", lambda device: not is_slow)


def layers():
    torch.manual_seed(0)
    plain, ours = nn.Linear(24, 16), nn.Sequential(nn.Linear(24, 16))
    plain.load_state_dict(ours[0].state_dict())
    Linear.instead_of(ours)
    assert isinstance(ours[0], Linear)
    return plain, ours


@pytest.mark.parametrize("is_slow", [True, False])
def test_in_float32_it_is_torchs_own_to_the_bit(slow, is_slow):
    slow(is_slow)
    plain, ours = layers()
    x = torch.randn(5, 7, 24)
    assert torch.equal(plain(x), ours(x))


def test_rounded_products_are_no_farther_from_the_truth_than_torchs(slow):
    slow(True)
    plain, ours = layers()
    x, seen = torch.randn(5, 7, 24), torch.randn(5, 7, 16)

    def all_of(layer, x, seen, dtype):
        x = x.to(dtype, copy=True).requires_grad_()
        layer = layer.to(dtype)
        layer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.float32):
            y = layer(x)
        y.backward(seen.to(y.dtype))
        return [y.double(), *(of.grad.double() for of in (x, *layer.parameters()))]

    found = [all_of(layer, x, seen, torch.float32) for layer in (plain, ours)]
    truth = all_of(plain, x, seen, torch.float64)
    for theirs, mine, exact in zip(*found, truth, strict=True):
        assert mine.shape == exact.shape
        assert 0 < (mine - exact).norm() <= 1.1 * (theirs - exact).norm()
        assert (mine - exact).norm() < 1e-2 * exact.norm()


def test_results_have_autocasts_types_and_gradients_the_weights(slow):
    slow(True)
    weight, x = torch.randn(3, 4, requires_grad=True), torch.randn(2, 4)
    with torch.autocast("cpu", torch.bfloat16):
        y = linear(x, weight, None)
    assert y.dtype == torch.bfloat16
    y.sum().backward()
    assert weight.grad.dtype == torch.float32
    assert linear(x.bfloat16(), weight.detach().bfloat16(), None).dtype == torch.bfloat16
    assert linear(x, weight, None).dtype == torch.float32
