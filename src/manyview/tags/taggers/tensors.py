"""Tensors: images of one shape go through a model together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["by_shape"]


def by_shape(tensors: Sequence[Tensor]) -> Iterator[tuple[list[int], Tensor]]:
    """The places and the stack of the tensors of each shape, in order of appearance.

    Nothing is padded, so that what an image gets does not depend on its neighbors.
    """
    import torch  # noqa: PLC0415  seconds to import

    places: dict[torch.Size, list[int]] = {}
    for place, tensor in enumerate(tensors):
        places.setdefault(tensor.shape, []).append(place)
    for members in places.values():
        yield members, torch.stack([tensors[place] for place in members])
