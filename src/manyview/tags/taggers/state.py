"""State: a checkpoint on disk becomes tensors by name; nothing in the file is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyview.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["by_position", "read_state"]

_WRAPPERS = ("state_dict_ema", "model_ema", "state_dict", "model")


def read_state(file: Path) -> dict[str, Tensor]:
    """The tensors of a .safetensors or torch checkpoint, taken out of the mapping a trainer put them into."""
    import torch  # noqa: PLC0415  seconds to import

    if file.suffix == ".safetensors":
        from safetensors.torch import load_file  # noqa: PLC0415  imports torch

        return load_file(file)
    state: Any = torch.load(file, map_location="cpu", weights_only=True)
    inner = next((state[key] for key in _WRAPPERS if isinstance(state, Mapping) and key in state), state)
    if not isinstance(inner, Mapping) or not all(isinstance(of, torch.Tensor) for of in inner.values()):
        raise UsageError(f"{file} is not a state dict: it holds something else than tensors by name")
    return {name.removeprefix("module."): of for name, of in inner.items()}


def by_position(theirs: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A checkpoint of the same network under other names: its n-th tensor under our n-th name.

    Raises UsageError unless all shapes and last names (weight, running_mean, ...) agree, place by place.
    """
    for place, ((their_name, their), (name, own)) in enumerate(zip(theirs.items(), ours.items(), strict=False)):
        if their.shape != own.shape or their_name.rpartition(".")[2] != name.rpartition(".")[2]:
            raise UsageError(
                f"tensor {place} of the checkpoint is {their_name} {tuple(their.shape)}, "
                f"the network's is {name} {tuple(own.shape)}: they are of different networks"
            )
    if len(theirs) != len(ours):
        raise UsageError(f"the checkpoint has {len(theirs)} tensors, the network {len(ours)}")
    return dict(zip(ours, theirs.values(), strict=True))
