"""Laws of Muon: torch's own optimizer, and a polynomial of singular values, without its rounding."""

import pytest
import torch

from manyview.train.muon import Muon, orthogonalized

SHAPES = [(6, 40), (40, 6), (16, 16), (1, 5)]


def close(actual, expected, share):
    assert (actual - expected).norm() <= share * expected.norm()


@pytest.mark.parametrize("shape", SHAPES)
def test_only_the_singular_values_change_and_lie_near_one(shape):
    torch.manual_seed(0)
    matrix = torch.randn(shape, dtype=torch.float64)
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    values = left.T @ orthogonalized(matrix) @ right.T
    close(values, torch.diag(values.diagonal()), 1e-9)
    assert ((values.diagonal() > 0.6) & (values.diagonal() < 1.3)).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_the_product_over_the_smaller_side_equals_iterating_on_the_matrix(shape):
    torch.manual_seed(1)
    matrix = torch.randn(shape) @ torch.diag(torch.logspace(0, -4, shape[1]))
    x = matrix.double() / matrix.norm()
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    close(orthogonalized(matrix).double(), x, 1e-3)


def test_steps_are_those_of_torch():
    """torch multiplies in bfloat16, so equal within its rounding."""
    torch.manual_seed(2)
    ours, theirs = (torch.nn.Parameter(torch.ones(8, 24)) for _ in range(2))
    groups = [{"params": [ours], "lr": 0.02, "weight_decay": 0.3}]
    mine = Muon(groups)
    reference = torch.optim.Muon([theirs], lr=0.02, weight_decay=0.3, adjust_lr_fn="match_rms_adamw")
    for _ in range(6):
        ours.grad = torch.randn(8, 24)
        theirs.grad = ours.grad.clone()
        mine.step()
        reference.step()
    close(ours.detach() - 1, theirs.detach() - 1, 0.02)


def test_a_matrix_without_gradient_stays():
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    Muon([{"params": [parameter]}]).step()
    assert (parameter == 1).all()


def test_a_zero_gradient_moves_nothing_to_nan():
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    parameter.grad = torch.zeros(2, 3)
    Muon([{"params": [parameter], "weight_decay": 0.0}]).step()
    assert (parameter == 1).all()
