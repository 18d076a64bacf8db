"""Image towers: any timm model, or the small residual network."""

from typing import Protocol

from torch import Tensor, nn

from manyview.errors import UsageError
from manyview.model.config import ImageTowerConfig
from manyview.model.residual import ResidualTower

__all__ = ["ImageTower", "build_image_tower"]


class ImageTower(Protocol):
    """Maps [n, 3, size, size] uint8 to [n, width]."""

    width: int
    takes_any_size: bool

    def __call__(self, images: Tensor) -> Tensor: ...


def build_image_tower(config: ImageTowerConfig) -> nn.Module:
    """The tower a config names, with random weights. Raises UsageError for what timm does not know."""
    if config.name == "residual":
        try:
            return ResidualTower(**config.options)
        except TypeError as error:
            raise UsageError(f"model.image.options does not fit the residual tower: {error}") from None
    from manyview.model.timm_tower import TimmTower  # noqa: PLC0415  2 s that the small tower does not need

    return TimmTower(config.name, config.size, config.options)
