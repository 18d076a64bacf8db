"""Layers: the modules that repeat in a tower, and how deep a parameter lies."""

from collections.abc import Iterator

from torch import nn

from manyview.model import DualEncoder

__all__ = ["layers_above", "repeated_layers"]


def repeated_layers(model: nn.Module) -> Iterator[nn.Module]:
    """The members of every list of two or more modules of one class, outermost lists first."""
    for child in model.children():
        members = list(child.children())
        is_list = isinstance(child, nn.ModuleList | nn.Sequential) and len(members) > 1
        if is_list and all(isinstance(member, type(members[0])) for member in members):
            yield from members
        else:
            yield from repeated_layers(child)


def layers_above(model: DualEncoder) -> dict[str, int]:
    """For each parameter by name how many layers of its tower come after it; 0 for what is in no tower.

    What comes before the first layer (embeddings, a stem) counts as a layer below it, what comes after the last
    (norms, poolers) as one above.
    """
    found = {name: 0 for name, _ in model.named_parameters()}
    for tower in ("image_tower", "text_tower"):
        part = model.get_submodule(tower)
        layers = list(repeated_layers(part))
        depth = {id(of): number for number, layer in enumerate(layers, 1) for of in layer.parameters()}
        outside = 0
        for name, parameter in part.named_parameters():
            if id(parameter) in depth:
                outside = len(layers) + 1
            found[f"{tower}.{name}"] = len(layers) + 1 - depth.get(id(parameter), outside)
    return found
