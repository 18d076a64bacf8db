"""State: a checkpoint on disk becomes tensors by name; nothing in the file is executed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manyview.errors import UsageError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["read_state"]

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
