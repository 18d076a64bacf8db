"""Residual: a small convolutional network without batch statistics, fast on CPUs."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["ResidualTower"]

_RELU_GAIN = 1.7139588594436646  # makes relu of a unit normal have unit variance
_BRANCH = 0.2  # how much of its branch a block adds at most in the beginning
_MEAN, _STD = 200.0, 75.0  # of drawings on white, in 0..255


class ResidualTower(nn.Module):
    """A normalizer-free pre-activation ResNet (Brock et al. 2021, arXiv 2101.08692) on 4x4-pixel patches.

    No layer looks at other images of the batch, so that features do not depend on the batch, the chunk or
    the process an image is in. Any input side that is a multiple of 4 * 2**(stages - 1) fits.
    """

    takes_any_size = True

    def __init__(
        self, widths: Sequence[int] = (64, 128, 256), depths: Sequence[int] = (1, 1, 1), patch: int = 4
    ) -> None:
        super().__init__()
        self.width = widths[-1]
        self.patches = nn.PixelUnshuffle(patch)
        self.stem = nn.Conv2d(3 * patch * patch, widths[0], 3, padding=1)
        blocks, before = list[nn.Module](), widths[0]
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
            variance = 1.0
            for place in range(depth):
                stride = 2 if place == 0 and stage > 0 else 1
                blocks.append(_Block(before, width, stride, variance))
                before, variance = width, variance + _BRANCH**2
        self.blocks = nn.Sequential(*blocks)
        self.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        """[n, width] from [n, 3, size, size] uint8."""
        x = self.patches((images.to(self.stem.weight.dtype) - _MEAN) / _STD)
        x = self.blocks(self.stem(x.contiguous(memory_format=torch.channels_last)))
        return functional.relu(x).mean((2, 3))


class _Block(nn.Module):
    """relu, convolution, relu, convolution, plus a shortcut; every constant factor goes into the kernels."""

    def __init__(self, inputs: int, outputs: int, stride: int, variance: float) -> None:
        super().__init__()
        self.shrink = _RELU_GAIN / variance**0.5
        self.first = _StandardizedConv(inputs, outputs, 3, stride)
        self.second = _StandardizedConv(outputs, outputs, 3, 1)
        self.shortcut = _StandardizedConv(inputs, outputs, 1, 1) if stride > 1 or inputs != outputs else None
        self.pool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.gain = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        active = functional.relu(x)
        kept = x if self.shortcut is None else self.shortcut(self.pool(active), before=self.shrink)
        inner = functional.relu(self.first(active, before=self.shrink))
        added: Tensor = kept + self.second(inner, before=_RELU_GAIN, after=self.gain * _BRANCH)
        return added


class _StandardizedConv(nn.Module):
    """A convolution whose kernels have mean 0 and variance gain**2 / fan-in, whatever the optimizer does.

    The kernels are the rows of a matrix [outputs, kernel * kernel * inputs], as optimizers of matrices want them.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.shape, self.stride, self.padding = (outputs, kernel, kernel, inputs), stride, kernel // 2
        self.weight = nn.Parameter(torch.empty(outputs, kernel * kernel * inputs))
        nn.init.kaiming_uniform_(self.weight, a=5**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.kernel_gain = nn.Parameter(torch.ones(outputs, 1))

    def forward(self, x: Tensor, before: float = 1.0, after: Tensor | float = 1.0) -> Tensor:
        """`after` times the convolution of `before` times x, at no cost a pixel."""
        variance, mean = torch.var_mean(self.weight, 1, keepdim=True, correction=0)
        scale = torch.rsqrt(variance * self.weight.shape[1] + 1e-4) * self.kernel_gain * (before * after)
        kernels = ((self.weight - mean) * scale).view(self.shape).permute(0, 3, 1, 2)  # channels last in memory
        return functional.conv2d(x, kernels, self.bias * after, self.stride, self.padding)
