"""Small models with random weights, written as their libraries write the large ones, and pictures to show them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch
import transformers as hf
from PIL import Image

LABELS = {0: "N/A", 1: "cat", 2: "dog", 3: "bird", 4: "car"}
_WORDS = ("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]", ".", "cat", "red", "car", "dog", "blue", "sky")
_NAMED = {"id2label": LABELS, "label2id": {name: number for number, name in LABELS.items()}}
_SMALL = {
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 16,
    "decoder_ffn_dim": 16,
    "num_queries": 7,
}
_TOWER = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
_SIDES = {"shortest_edge": 64, "longest_edge": 96}
_BLOCKS = {"embedding_size": 8, "hidden_sizes": [8] * 4, "depths": [1] * 4, "layer_type": "basic"}


def pictures(*sizes: tuple[int, int], seed: int = 0) -> list[Image.Image]:
    """Noise in large squares, of these widths and heights."""
    random = np.random.default_rng(seed)
    levels = [random.integers(0, 255, (8, 8, 3), dtype=np.uint8) for _ in sizes]
    return [Image.fromarray(of).resize(size, Image.Resampling.NEAREST) for of, size in zip(levels, sizes, strict=True)]


def save_detr(folder: Path) -> None:
    backbone = hf.ResNetConfig(**_BLOCKS, out_features=["stage4"])
    config = hf.DetrConfig(backbone_config=backbone, use_timm_backbone=False, d_model=16, **_SMALL, **_NAMED)
    _save(folder, hf.DetrForObjectDetection(config), hf.DetrImageProcessor(size=_SIDES))


def save_conditional_detr(folder: Path) -> None:
    backbone = hf.ResNetConfig(**_BLOCKS, out_features=["stage4"])
    config = hf.ConditionalDetrConfig(backbone_config=backbone, use_timm_backbone=False, d_model=16, **_SMALL, **_NAMED)
    _save(folder, hf.ConditionalDetrForObjectDetection(config), hf.ConditionalDetrImageProcessor(size=_SIDES))


def save_rt_detr(folder: Path) -> None:
    backbone = hf.RTDetrResNetConfig(**_BLOCKS, out_features=["stage2", "stage3", "stage4"])
    config = hf.RTDetrConfig(
        backbone_config=backbone,
        d_model=16,
        encoder_hidden_dim=16,
        encoder_in_channels=[8] * 3,
        decoder_in_channels=[16] * 3,
        num_denoising=0,
        **_SMALL,
        **_NAMED,
    )
    _save(folder, hf.RTDetrForObjectDetection(config), hf.RTDetrImageProcessor(size={"height": 64, "width": 64}))


def save_yolos(folder: Path) -> None:
    config = hf.YolosConfig(**_TOWER, image_size=[64, 64], patch_size=16, num_detection_tokens=20, **_NAMED)
    _save(folder, hf.YolosForObjectDetection(config), hf.YolosImageProcessor(size=_SIDES))


DETECTORS: Mapping[str, Callable[[Path], None]] = {
    "detr": save_detr,
    "conditional-detr": save_conditional_detr,
    "rt-detr": save_rt_detr,
    "yolos": save_yolos,
}


def save_owl(folder: Path, version: int) -> None:
    towers = {
        "text_config": {**_TOWER, "vocab_size": 80, "max_position_embeddings": 16, "eos_token_id": 2},
        "vision_config": {**_TOWER, "image_size": 64, "patch_size": 16},
        "projection_dim": 16,
    }
    size = {"height": 64, "width": 64}
    if version == 2:
        model = hf.Owlv2ForObjectDetection(hf.Owlv2Config(**towers))
        processor = hf.Owlv2Processor(hf.Owlv2ImageProcessor(size=size), _letters())
    else:
        model = hf.OwlViTForObjectDetection(hf.OwlViTConfig(**towers))
        processor = hf.OwlViTProcessor(hf.OwlViTImageProcessor(size=size), _letters())
    _save(folder, model, processor)


def save_grounding_dino(folder: Path) -> None:
    backbone = hf.SwinConfig(
        image_size=64, embed_dim=8, depths=[1] * 4, num_heads=[1] * 4, window_size=2, out_indices=[2, 3, 4]
    )
    text = hf.BertConfig(vocab_size=16, **_TOWER, max_position_embeddings=32)
    config = hf.GroundingDinoConfig(
        backbone_config=backbone,
        text_config=text,
        d_model=32,
        max_text_len=8,
        **{**_SMALL, "decoder_attention_heads": 4},
    )
    tokenizer = hf.BertTokenizer(vocab={word: place for place, word in enumerate(_WORDS)})
    processor = hf.GroundingDinoProcessor(hf.GroundingDinoImageProcessor(size=_SIDES), tokenizer)
    _save(folder, hf.GroundingDinoForObjectDetection(config), processor)


def save_clip(folder: Path) -> None:
    config = hf.CLIPConfig(
        text_config={**_TOWER, "vocab_size": 80, "max_position_embeddings": 40, "eos_token_id": 2, "pad_token_id": 2},
        vision_config={**_TOWER, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    processor = hf.CLIPProcessor(hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32), _letters())
    _save(folder, hf.CLIPModel(config), processor)


def _letters() -> hf.CLIPTokenizer:
    """Each letter is a token; none is 0, which OWL takes for padding."""
    letters = (of for letter in "abcdefghijklmnopqrstuvwxyz ." for of in (letter, f"{letter}</w>"))
    tokens = ["<|nothing|>", "<|startoftext|>", "<|endoftext|>", *letters]
    return hf.CLIPTokenizer(vocab={token: place for place, token in enumerate(tokens)}, merges=[])


def _save(folder: Path, model: hf.PreTrainedModel, processor: object) -> None:
    """Weights five times as large as they are drawn, so that findings differ."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)  # type: ignore[attr-defined]
