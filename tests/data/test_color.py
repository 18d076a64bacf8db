"""Each color change, over a batch with its own amounts, equals torchvision's one image at a time."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from manyview.data import color
from manyview.data.color import (
    COLOR_DRAWS,
    blur,
    brighten,
    color_matrices,
    contrast,
    fast_color,
    grayscale,
    official_color,
    saturate,
    shift_hue,
)

IMAGES = torch.rand(6, 3, 20, 24, generator=torch.Generator().manual_seed(0))
FACTORS = torch.tensor([0.6, 0.8, 1.0, 1.1, 1.3, 1.4])
TURNS = torch.tensor([-0.1, -0.05, 0.0, 0.02, 0.07, 0.1])


@pytest.mark.parametrize(
    ("ours", "theirs", "amounts"),
    [
        (brighten, tv.adjust_brightness, FACTORS),
        (contrast, tv.adjust_contrast, FACTORS),
        (saturate, tv.adjust_saturation, FACTORS),
        (shift_hue, tv.adjust_hue, TURNS),
        (blur, lambda image, sigma: tv.gaussian_blur(image, 5, sigma), FACTORS),
    ],
)
def test_a_change_is_torchvisions(ours, theirs, amounts):
    expected = torch.stack([theirs(image, amount.item()) for image, amount in zip(IMAGES, amounts, strict=True)])
    torch.testing.assert_close(ours(IMAGES, amounts), expected, atol=2e-5, rtol=0)


def test_gray_is_torchvisions():
    expected = torch.stack([tv.rgb_to_grayscale(image) for image in IMAGES])
    torch.testing.assert_close(grayscale(IMAGES), expected, atol=1e-6, rtol=0)


def test_gray_pixels_keep_their_gray_under_any_hue():
    gray = IMAGES[:, :1].expand(-1, 3, -1, -1)
    torch.testing.assert_close(shift_hue(gray, TURNS), gray)


def test_the_recipe_changes_each_image_by_its_own_draws_alone():
    draws = np.random.default_rng(0).random((6, COLOR_DRAWS))
    together = official_color(IMAGES, draws)
    for i in range(6):
        torch.testing.assert_close(official_color(IMAGES[i : i + 1], draws[i : i + 1])[0], together[i])


def test_the_recipe_has_the_papers_shares():
    draws = np.random.default_rng(1).random((4_000, COLOR_DRAWS))
    images = torch.rand(1, 3, 6, 6, generator=torch.Generator().manual_seed(1)).expand(4_000, -1, -1, -1)
    changed = official_color(images, draws)
    gray = (changed[:, 0] - changed[:, 2]).abs().amax((1, 2)) < 1e-6
    untouched = (changed == images).all(3).all(2).all(1)
    assert gray.float().mean().item() == pytest.approx(0.2, abs=0.02)
    assert untouched.float().mean().item() == pytest.approx(0.2 * 0.8 * 0.5, abs=0.02)


def test_no_draws_no_change():
    still = np.array([[0.5, 0.5, 0.5, 0.5, 0.1, 0.2, 0.3, 0.4, 0.9, 0.9, 0.9, 0.5]])
    torch.testing.assert_close(official_color(IMAGES[:1], still), IMAGES[:1])


def by_matrix(images, draws):
    """[n, 3, h, w] as fast_color would have it before rounding, without blur."""
    matrices = torch.from_numpy(color_matrices(images.mean((2, 3)).numpy(), draws)).float()
    return torch.einsum("nij,njhw->nihw", matrices[:, :, :3], images) + matrices[:, :, 3, None, None]


def test_without_hue_a_matrix_is_the_changes_one_after_the_other():
    draws = np.random.default_rng(2).random((6, COLOR_DRAWS))
    draws[:, 3], draws[:, 10] = 0.5, 0.9  # no hue, no blur
    mild = 0.4 + 0.2 * IMAGES  # nothing to clamp
    torch.testing.assert_close(by_matrix(mild, draws), official_color(mild, draws), atol=2e-3, rtol=0)


def test_fast_colors_are_torchvisions_in_distribution():
    """Mean and spread of every channel over draws, and how far single pixels are from torchvision's."""
    n = 3_000
    draws = np.random.default_rng(3).random((n, COLOR_DRAWS))
    levels = 40 + 170 * torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(4))
    picture = levels.round() / 255
    exact = official_color(picture.expand(n, -1, -1, -1), draws)
    fast = (picture.permute(1, 2, 0) * 255).round().to(torch.uint8).expand(n, -1, -1, -1).contiguous().numpy()
    _fast_color_of_every_pixel(fast, draws)
    fast = torch.from_numpy(fast).permute(0, 3, 1, 2).float() / 255
    assert (fast.mean(0) - exact.mean(0)).abs().max() < 0.04
    assert (
        fast.std(0) - exact.std(0)
    ).abs().max() < 0.06  # hue keeps the luma in one and the largest channel in the other
    assert (fast - exact).abs().mean() < 0.03
    together = torch.corrcoef(torch.stack([fast.flatten(), exact.flatten()]))[0, 1]
    assert together > 0.97


def _fast_color_of_every_pixel(images, draws):
    """fast_color looks at every eighth pixel for the mean; a picture of 6 x 6 is looked at whole."""
    color._SPARSE, before = 1, color._SPARSE
    try:
        fast_color(images, draws)
    finally:
        color._SPARSE = before


def test_fast_colors_have_the_papers_shares():
    draws = np.random.default_rng(1).random((4_000, COLOR_DRAWS))
    images = np.random.default_rng(0).integers(0, 256, (1, 9, 9, 3), np.uint8).repeat(4_000, 0)
    changed = images.copy()
    fast_color(changed, draws)
    gray = (changed[..., 0] == changed[..., 2]).all((1, 2))
    untouched = (changed == images).all((1, 2, 3))
    assert gray.mean() == pytest.approx(0.2, abs=0.02)
    assert untouched.mean() == pytest.approx(0.2 * 0.8 * 0.5, abs=0.02)
