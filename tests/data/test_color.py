"""Each color change, over a batch with its own amounts, equals torchvision's one image at a time."""

import numpy as np
import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from manyview.data.color import (
    COLOR_DRAWS,
    blur,
    brighten,
    contrast,
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
