"""Tensors: images of one shape go through a model together, on the device that was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from manyview.errors import UsageError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["by_shape", "device_of"]


def device_of(name: str) -> torch.device:
    """The device of that name. Raises UsageError for one that this machine has not."""
    import torch  # noqa: PLC0415  seconds to import

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=name)
    except (RuntimeError, AssertionError, ValueError) as error:
        said = str(error).splitlines()[0]
        raise UsageError(f"device={name} cannot be used here ({said}), allowed: auto, cpu, cuda, cuda:0, ...") from None
    return torch.device(name)


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
