"""Weight names: a network's weights in a file that names them otherwise."""

from collections.abc import Mapping

from torch import Tensor

from manyview.errors import UsageError

__all__ = ["by_position"]


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
