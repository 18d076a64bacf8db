"""Color augmentations, each image by its own amount: torchvision's, batched, and as one matrix an image."""

import math

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

__all__ = [
    "COLOR_DRAWS",
    "blur",
    "brighten",
    "color_matrices",
    "contrast",
    "fast_color",
    "grayscale",
    "official_color",
    "saturate",
    "shift_hue",
]

COLOR_DRAWS = 12
_LUMA = (0.2989, 0.587, 0.114)
_JITTER, _HUE = 0.4, 0.1
_JITTER_SHARE, _GRAY_SHARE, _BLUR_SHARE = 0.8, 0.2, 0.5
_BLUR_SIGMA = (0.1, 2.0)
_YIQ = np.array([_LUMA, [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_SPARSE = 8  # every so many pixels each way tell an image's mean color


def official_color(images: Tensor, draws: np.ndarray) -> Tensor:
    """ERNIE-ViL 2.0's color recipe for [n, 3, h, w] in 0..1, from [n, COLOR_DRAWS] draws in [0, 1).

    Brightness, contrast and saturation by 0.6-1.4 and hue by ±0.1 turn, in random order, for 80 %;
    gray for 20 %; a 5x5 Gaussian of sigma 0.1-2.0 pixels for 50 % (official `preprocess_image.py`).
    """
    drawn = torch.from_numpy(draws).to(images.dtype)
    amounts = [1 + _JITTER * (2 * drawn[:, k] - 1) for k in range(3)] + [_HUE * (2 * drawn[:, 3] - 1)]
    order = drawn[:, 4:8].argsort(1)
    jittered = drawn[:, 8] < _JITTER_SHARE
    images = images.clone()
    for place in range(4):
        for kind, change in enumerate((brighten, contrast, saturate, shift_hue)):
            rows = (jittered & (order[:, place] == kind)).nonzero()[:, 0]
            if len(rows):
                images[rows] = change(images[rows], amounts[kind][rows])
    gray = (drawn[:, 9] < _GRAY_SHARE).nonzero()[:, 0]
    images[gray] = grayscale(images[gray]).expand(-1, 3, -1, -1)
    blurred = (drawn[:, 10] < _BLUR_SHARE).nonzero()[:, 0]
    low, high = _BLUR_SIGMA
    images[blurred] = blur(images[blurred], low + (high - low) * drawn[blurred, 11])
    return images


def fast_color(images: np.ndarray, draws: np.ndarray) -> None:
    """`official_color` of [n, h, w, 3] uint8 in place: a matrix for all changes of an image, and OpenCV's blur."""
    means = images[:, ::_SPARSE, ::_SPARSE].mean((1, 2)) / 255
    matrices = color_matrices(means, draws)
    matrices[:, :, 3] *= 255
    low, high = _BLUR_SIGMA
    for image, matrix, drawn in zip(images, matrices, draws, strict=True):
        if drawn[8] < _JITTER_SHARE or drawn[9] < _GRAY_SHARE:
            cv2.transform(image, matrix, dst=image)
        if drawn[10] < _BLUR_SHARE:
            sigma = low + (high - low) * drawn[11]
            cv2.GaussianBlur(image, (5, 5), sigma, dst=image, borderType=cv2.BORDER_REFLECT_101)


def color_matrices(means: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """[n, 3, 4]: jitter and gray of `official_color`, from [n, 3] mean colors in 0..1 and [n, COLOR_DRAWS] draws.

    A pixel's new color is the left 3 x 3 times it, plus the right column. Brightness, contrast and saturation are
    torchvision's, in the order drawn, but are not clamped in between; hue is a rotation in YIQ instead of HSV.
    """
    luma = np.array(_LUMA)
    to_gray = np.tile(luma, (3, 1))
    jittered = draws[:, 8] < _JITTER_SHARE
    amounts = 1 + _JITTER * (2 * draws[:, :3] - 1)
    angles = 2 * math.pi * _HUE * (2 * draws[:, 3] - 1)
    turns = np.zeros((len(draws), 3, 3))
    turns[:, 0, 0] = 1
    turns[:, 1, 1] = turns[:, 2, 2] = np.cos(angles)
    turns[:, 1, 2] = np.sin(angles)
    turns[:, 2, 1] = -turns[:, 1, 2]
    scaled = [of[:, None, None] * np.eye(3) for of in amounts.T]
    linear = np.stack(
        [
            scaled[0],
            scaled[1],
            scaled[2] + (1 - amounts[:, 2])[:, None, None] * to_gray,
            np.linalg.inv(_YIQ) @ turns @ _YIQ,
        ]
    )
    order = draws[:, 4:8].argsort(1)
    rows = np.arange(len(draws))
    matrices = np.tile(np.eye(3, 4), (len(draws), 1, 1))
    for place in range(4):
        kind = order[:, place]
        changed = linear[kind, rows] @ matrices
        pivot = (np.einsum("nij,nj->ni", matrices[:, :, :3], means) + matrices[:, :, 3]) @ luma
        changed[:, :, 3] += ((kind == 1) * (1 - amounts[:, 1]) * pivot)[:, None]
        matrices = np.where(jittered[:, None, None], changed, matrices)
    gray = draws[:, 9] < _GRAY_SHARE
    return np.where(gray[:, None, None], to_gray @ matrices, matrices)


def grayscale(images: Tensor) -> Tensor:
    """[n, 1, h, w] luma (ITU-R 601)."""
    weights = torch.tensor(_LUMA, dtype=images.dtype).view(1, 3, 1, 1)
    return (images * weights).sum(1, keepdim=True)


def brighten(images: Tensor, factors: Tensor) -> Tensor:
    """Each image toward black (factor 0) or beyond itself."""
    return _blend(images, torch.zeros_like(images), factors)


def contrast(images: Tensor, factors: Tensor) -> Tensor:
    """Each image toward its mean gray."""
    return _blend(images, grayscale(images).mean((2, 3), keepdim=True), factors)


def saturate(images: Tensor, factors: Tensor) -> Tensor:
    """Each image toward its own gray version."""
    return _blend(images, grayscale(images), factors)


def shift_hue(images: Tensor, turns: Tensor) -> Tensor:
    """Each image with its hue turned by so many full turns (HSV)."""
    value, low = images.amax(1), images.amin(1)
    chroma = value - low
    safe = torch.where(chroma == 0, torch.ones_like(chroma), chroma)
    red, green, blue = images.unbind(1)
    sixth = torch.where(
        value == red,
        (green - blue) / safe,
        torch.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    hue = (sixth / 6 + turns.view(-1, 1, 1)) % 1.0
    # Smith 1978: each channel is the value less the chroma times a trapezoid of the hue.
    offsets = torch.tensor([5.0, 3.0, 1.0], dtype=images.dtype).view(1, 3, 1, 1)
    k = (offsets + 6 * hue[:, None]) % 6
    return value[:, None] - chroma[:, None] * torch.minimum(k, 4 - k).clamp(0, 1)


def blur(images: Tensor, sigmas: Tensor, taps: int = 5) -> Tensor:
    """Each image under its own Gaussian, edges reflected."""
    n, channels, height, width = images.shape
    if not n:
        return images
    reach = taps // 2
    x = torch.arange(-reach, reach + 1, dtype=images.dtype)
    kernel = torch.exp(-0.5 * (x / sigmas.view(-1, 1)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = functional.pad(images, (reach,) * 4, mode="reflect").reshape(1, n * channels, height + 2 * reach, -1)
    flat = functional.conv2d(flat, kernel.view(-1, 1, taps, 1), groups=n * channels)
    flat = functional.conv2d(flat, kernel.view(-1, 1, 1, taps), groups=n * channels)
    return flat.view(n, channels, height, width)


def _blend(images: Tensor, others: Tensor, factors: Tensor) -> Tensor:
    factors = factors.view(-1, 1, 1, 1)
    return (factors * images + (1 - factors) * others).clamp(0, 1)
