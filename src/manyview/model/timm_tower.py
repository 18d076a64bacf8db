"""timm tower: a model of timm's without its classifier, with faster patches, attention and last block."""

import difflib
from pathlib import Path
from typing import Any

import timm
import torch
from timm.layers.attention import Attention
from timm.layers.patch_embed import PatchEmbed
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from manyview.errors import UsageError
from manyview.model.attention import choose_attention
from manyview.model.linear import linear
from manyview.model.weight_names import by_position

__all__ = ["PatchEmbedding", "PooledBlock", "TimmTower"]


class PatchEmbedding(nn.Conv2d):
    """A convolution whose windows do not overlap, computed as one matrix product: equal, its gradient much faster."""

    def forward(self, images: Tensor) -> Tensor:
        """[n, out, h / size, w / size] from [n, in, h, w]; what is left over at the edges is not looked at."""
        down, across = self.kernel_size
        n, channels, height, width = images.shape
        rows, columns = height // down, width // across
        cut = images[:, :, : rows * down, : columns * across].view(n, channels, rows, down, columns, across)
        patches = cut.permute(0, 2, 4, 1, 3, 5).reshape(n * rows * columns, -1)
        embedded = linear(patches, self.weight.flatten(1), self.bias)
        return embedded.view(n, rows, columns, -1).permute(0, 3, 1, 2)

    @classmethod
    def instead_of(cls, module: nn.Module) -> None:
        """Make one of a timm patch embedding's convolution, where it is such a one."""
        if type(module) is not nn.Conv2d or module.groups != 1 or isinstance(module.padding, str):
            return
        if module.kernel_size == module.stride and not any(module.padding) and set(module.dilation) == {1}:
            module.__class__ = cls


class PooledBlock(Block):
    """The last block of a ViT of which only the class token is read: its MLP runs for that token alone."""

    def forward(self, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
        """[n, 1, width] from [n, tokens, width]."""
        attended = self.attn(self.norm1(x), *args, **kwargs)[:, :1]
        token: Tensor = x[:, :1] + self.drop_path1(self.ls1(attended))
        mixed: Tensor = token + self.drop_path2(self.ls2(self.mlp(self.norm2(token))))
        return mixed

    @classmethod
    def instead_of_last(cls, backbone: nn.Module) -> None:
        """Make one of the last block of a VisionTransformer of timm's, where it is such a one."""
        if isinstance(backbone, VisionTransformer) and backbone.global_pool == "token":
            last = list(backbone.blocks.children())[-1]
            if type(last) is Block:
                last.__class__ = cls


class TimmTower(nn.Module):
    """A timm model without its classifier, fed with the mean and deviation it was made for.

    Its patches are embedded by a matrix product, and its attention takes the path that is fastest for its length.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, name: str, size: int, options: dict[str, Any]) -> None:
        super().__init__()
        self._made = (name, size, options)
        self.backbone = _create(name, size, options)
        self.width = int(self.backbone.num_features)
        if getattr(self.backbone, "head_hidden_size", None):
            self.width = int(self.backbone.head_hidden_size)
        for key in ("mean", "std"):
            values = torch.tensor(self.backbone.default_cfg[key]) * 255
            self.register_buffer(key, values.view(1, 3, 1, 1), persistent=False)

        PooledBlock.instead_of_last(self.backbone)
        for module in self.backbone.modules():
            if isinstance(module, PatchEmbed):
                PatchEmbedding.instead_of(module.proj)
            elif isinstance(module, Attention):
                module.register_forward_pre_hook(choose_attention)

    def load_weights(self, file: Path) -> None:
        """Weights of timm's from a file, fitted to this size. Raises UsageError for those of another model."""
        name, size, options = self._made
        try:
            pretrained = _create(name, size, options, pretrained=True, pretrained_cfg_overlay={"file": str(file)})
        except (RuntimeError, OSError, ValueError, KeyError) as error:
            raise UsageError(f"{file} holds no weights of {name}: {' '.join(str(error).split())[:200]}") from None
        self.backbone.load_state_dict(pretrained.state_dict())

    def load_by_position(self, file: Path) -> None:
        """Weights from a torch file of the same network under other names. Raises UsageError for another network's."""
        classified = timm.create_model(self._made[0])  # such a file holds a classifier too
        state = by_position(torch.load(file, map_location="cpu", weights_only=True), classified.state_dict())
        self.backbone.load_state_dict({name: state[name] for name in self.backbone.state_dict()})

    @property
    def takes_any_size(self) -> bool:
        """Whether images may be of another size than the tower was made for."""
        embeddings = [module for module in self.modules() if isinstance(module, PatchEmbed)]
        return all(not module.strict_img_size for module in embeddings)

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.backbone((images.to(self.mean.dtype) - self.mean) / self.std)
        return features


def _create(name: str, size: int, options: dict[str, Any], **how: Any) -> Any:
    if not timm.is_model(name):
        close = difflib.get_close_matches(name, timm.list_models(), n=3)
        hint = (
            f": did you mean {' or '.join(close)}?" if close else ", allowed: residual or a name of timm.list_models()"
        )
        raise UsageError(f"no image tower named {name!r}{hint}")
    failure: TypeError | None = None
    arguments: dict[str, Any]
    for arguments in ({**options, "img_size": size}, options):  # convolutions refuse img_size
        try:
            return timm.create_model(name, num_classes=0, **how, **arguments)
        except TypeError as error:
            failure = error
    raise UsageError(f"timm cannot make {name!r} with model.image.options={options}: {failure}")
