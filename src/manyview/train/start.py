"""Start: what a run begins with other than random weights, and what of it may move."""

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from manyview.config import Config
from manyview.errors import DataError, UsageError
from manyview.model import DualEncoder, ImageTowerConfig, ModelConfig, TextTowerConfig, WordPieceTokenizer
from manyview.model.text_tower import text_encoder
from manyview.train.packaged_towers import PACKAGED_IMAGE_TOWERS, PACKAGED_TEXT_TOWERS

__all__ = [
    "StartConfig",
    "credited",
    "interpolated",
    "lock_towers",
    "merged",
    "model_told_by_start",
    "start_tokenizer",
    "start_weights",
    "training_mode",
]

_TIMM_FILES = ("model.safetensors", "pytorch_model.bin")


class StartConfig(Config):
    """Weights to begin with, and how far they may go. Empty: random weights, all of them free."""

    alternatives: ClassVar[tuple[tuple[str, ...], ...]] = (("model", "image_tower"), ("model", "text_tower"))

    model: str | None = Field(
        None, description="A run, or a folder of save_pretrained: its towers, weights and tokenizer."
    )
    image_tower: str | None = Field(
        None,
        description="Weights of the image tower: a file of timm's, the folder of a downloaded timm model, or "
        "efficientnet-lite0 (of manyview[towers]).",
    )
    text_tower: str | None = Field(
        None,
        description="The text tower and its tokenizer: the folder of a downloaded transformers model, or minilm-l6 "
        "(of manyview[towers]; English).",
    )
    lock: tuple[Literal["image", "text"], ...] = Field(
        (), description="Towers that stay as they are, as in LiT (arXiv 2111.07991); their projections learn."
    )
    cache: bool = Field(
        False,
        description="Compute what locked towers give once, and keep it on the disk; only the heads then run.",
    )
    features: str | None = Field(
        None, description="Folder of what start.cache keeps, for several runs. Empty: features in the run folder."
    )
    lora_rank: int | None = Field(
        None, ge=1, description="Learn low-rank changes of the towers' linear layers only (LoRA, through peft)."
    )
    wise_ft: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="Share of what was learned in the final weights, the rest is what they began as (WiSE-FT, "
        "arXiv 2109.01903).",
    )


def model_told_by_start(start: StartConfig, model: ModelConfig) -> ModelConfig:
    """The model's configuration, with all that the folders to start from decide. Raises UsageError, DataError."""
    if start.model is not None:
        if start.image_tower or start.text_tower:
            raise UsageError("start.model brings both towers: give it, or start.image_tower and start.text_tower")
        config = DualEncoder.from_pretrained(start.model).config
        text = config.text.model_copy(update={"max_tokens": model.text.max_tokens})
        head = config.head if config.head.hidden else model.head
        return config.model_copy(update={"text": text, "head": head, "record": model.record})
    if start.image_tower in PACKAGED_IMAGE_TOWERS:
        packaged = PACKAGED_IMAGE_TOWERS[start.image_tower]
        image = ImageTowerConfig(name=packaged.architecture, size=model.image.size)
        model = model.model_copy(update={"image": image})
    if start.text_tower is not None:
        told = _json(_text_folder(start.text_tower) / "config.json", "start.text_tower")
        name = told.pop("model_type", None)
        if name is None:
            raise UsageError(f"{start.text_tower} is not a transformers model: its config.json names no model_type")
        left_out = ("architectures", "transformers_version", "torch_dtype", "dtype", "_name_or_path")
        options = {key: value for key, value in told.items() if key not in left_out}
        pooling = "mean" if start.text_tower in PACKAGED_TEXT_TOWERS else model.text.pooling
        text = TextTowerConfig(name=name, options=options, pooling=pooling)
        return model.model_copy(update={"text": text})
    return model


def start_tokenizer(start: StartConfig) -> WordPieceTokenizer | None:
    """The tokenizer of what is started from, if that has one."""
    if start.model is not None:
        return DualEncoder.from_pretrained(start.model).wordpiece
    if start.text_tower is not None:
        return WordPieceTokenizer.of_transformers(_text_folder(start.text_tower))
    return None


def start_weights(start: StartConfig, model: DualEncoder) -> None:
    """Fill the model with the weights to start from. Raises UsageError for those of another architecture."""
    if start.model is not None:
        _start_from(DualEncoder.from_pretrained(start.model), model)
    if start.image_tower is not None:
        from manyview.model.timm_tower import TimmTower  # noqa: PLC0415  2 s that the small tower does not need

        tower = model.image_tower
        if not isinstance(tower, TimmTower):
            raise UsageError(
                f"start.image_tower={start.image_tower} is for towers of timm: name one with model.image.name, or "
                f"take one that comes as a package ({', '.join(PACKAGED_IMAGE_TOWERS)})"
            )
        if start.image_tower in PACKAGED_IMAGE_TOWERS:
            tower.load_by_position(PACKAGED_IMAGE_TOWERS[start.image_tower].path)
        else:
            tower.load_weights(_timm_file(Path(start.image_tower)))
    if start.text_tower is not None:
        from transformers import AutoModel  # noqa: PLC0415  2 s that the CPU tower does not need

        try:
            pretrained = AutoModel.from_pretrained(
                _text_folder(start.text_tower), dtype=torch.float32, local_files_only=True
            )
        except (OSError, ValueError) as error:
            raise UsageError(f"{start.text_tower} cannot be loaded: {str(error).splitlines()[0]}") from None
        model.text_tower.encoder.load_state_dict(text_encoder(pretrained).state_dict())  # type: ignore[union-attr]


def _start_from(first: DualEncoder, model: DualEncoder) -> None:
    """All weights of `first`; where `model` has an MLP beside the linear map that `first` has alone, of that nothing.

    Such an MLP begins at zero, so that the model begins as `first` is.
    """
    state = first.state_dict()
    if model.config.head.hidden and not first.config.head.hidden:
        for head in ("image_projection", "text_projection"):
            state[f"{head}.linear.weight"] = state.pop(f"{head}.weight")
        state = {**model.state_dict(), **state}
    model.load_state_dict(state)


def credited(start: StartConfig) -> list[str]:
    """A sentence for the card of a model on each thing that it began with."""
    sentences = []
    if start.model is not None:
        sentences.append(f"Began as the model {Path(start.model).name!r}: its own card says where that is from.")
    for kind, name, packaged in (
        ("Image", start.image_tower, PACKAGED_IMAGE_TOWERS),
        ("Text", start.text_tower, PACKAGED_TEXT_TOWERS),
    ):
        if name in packaged:
            sentences.append(f"{kind} tower {packaged[name].credit()}")
        elif name is not None:
            sentences.append(f"{kind} tower from {Path(name).name!r}: its license is that of those weights.")
    return sentences


def lock_towers(start: StartConfig, model: DualEncoder) -> None:
    """Freeze what may not move; with LoRA, everything in the towers but the low-rank changes."""
    locked = {"image": model.image_tower, "text": model.text_tower}
    for name in start.lock:
        locked[name].requires_grad_(False)
    if start.lora_rank is None:
        return
    from peft import LoraConfig, inject_adapter_in_model  # noqa: PLC0415  an option

    open_towers = [tower for name, tower in locked.items() if name not in start.lock]
    adapted = 0
    for tower in open_towers:
        tower.requires_grad_(False)
        names = [name for name, module in tower.named_modules() if isinstance(module, nn.Linear)]
        adapted += len(names)
        if names:
            settings = LoraConfig(r=start.lora_rank, lora_alpha=2 * start.lora_rank, target_modules=names)
            inject_adapter_in_model(settings, tower)
    if not adapted:
        raise UsageError("start.lora_rank needs linear layers in a tower that is not locked, and there are none")


def training_mode(start: StartConfig, model: DualEncoder) -> None:
    """Dropout and batch statistics on, but for locked towers."""
    model.train()
    for name in start.lock:
        {"image": model.image_tower, "text": model.text_tower}[name].eval()


def merged(model: nn.Module) -> dict[str, Tensor]:
    """The state of a model with its low-rank changes added to the layers they change, under the layers' own names."""
    from peft.tuners.lora import LoraLayer  # noqa: PLC0415  an option

    state = dict(model.state_dict())
    for name, layer in model.named_modules():
        if isinstance(layer, LoraLayer):
            for key in [key for key in state if key.startswith(f"{name}.")]:
                of = state.pop(key)
                if key.startswith(f"{name}.base_layer."):
                    state[key.replace(".base_layer.", ".", 1)] = of
            weight = f"{name}.weight"
            state[weight] = state[weight] + layer.get_delta_weight("default")  # type: ignore[attr-defined]
    return state


def interpolated(start: dict[str, Tensor], tuned: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """(1 - share) * start + share * tuned, for everything that is a number (WiSE-FT, eq. 1)."""
    return {name: torch.lerp(start[name], of, share) if of.is_floating_point() else of for name, of in tuned.items()}


def _text_folder(text_tower: str) -> Path:
    packaged = PACKAGED_TEXT_TOWERS.get(text_tower)
    return Path(text_tower) if packaged is None else packaged.path


def _timm_file(path: Path) -> Path:
    if path.is_file():
        return path
    for name in _TIMM_FILES:
        if (path / name).is_file():
            return path / name
    raise UsageError(f"no weights at {path}: give a file, or a folder with {' or '.join(_TIMM_FILES)}")


def _json(file: Path, key: str) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{key}: there is no {file}, give the folder of a downloaded model") from None
    except ValueError as error:
        raise DataError(f"{file} is damaged: {error}") from None
    return told
