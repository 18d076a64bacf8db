"""Device: where a model computes, by the name that a user gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manyview.errors import UsageError

if TYPE_CHECKING:
    import torch

__all__ = ["choose_device"]


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; auto: cuda where there is one, else cpu. "cuda" is the current one of this process.

    Raises UsageError for one that this machine has not.
    """
    import torch  # noqa: PLC0415  seconds to import

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).sum().item()
    except (RuntimeError, AssertionError, ValueError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"device={name} cannot be used here ({reason}), allowed: auto, cpu, cuda, cuda:0, ..."
        ) from None
    return device
