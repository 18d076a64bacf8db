"""Average: an exponential moving average of the weights, which is often the better model."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["Average"]


class Average:
    """weights <- decay * weights + (1 - decay) * model, after every step; begins as the model.

    The decay grows with the number of steps, min(decay, (1 + step) / (10 + step)), so that the first random
    weights are soon forgotten.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model, self._decay = model, decay
        self.weights = {name: of.detach().clone() for name, of in model.named_parameters()}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Follow the model after step `step` (from 0)."""
        decay = min(self._decay, (1 + step) / (10 + step))
        for name, parameter in self._model.named_parameters():
            self.weights[name].lerp_(parameter, 1 - decay)

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """The model with the averaged weights."""
        self.swap()
        try:
            yield
        finally:
            self.swap()

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the averaged weights for the model's."""
        kept: dict[str, Tensor] = {}
        for name, parameter in self._model.named_parameters():
            kept[name] = parameter.detach().clone()
            parameter.copy_(self.weights[name])
        self.weights = kept
