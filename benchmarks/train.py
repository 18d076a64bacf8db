"""A training step of two image and two text views against the same step with OpenCLIP, on one thread.

    python benchmarks/train.py [--batch 16] [--repeat 5] [--precisions float32 bfloat16]

Towers of the size of ViT-B-32; captions of about 13 tokens, tags of about 7; all six contrasts; AdamW. OpenCLIP's model
encodes the views of a kind as one batch, with texts padded to its 77 tokens, and its loss is called for each contrast.
Both in float32, and both under bfloat16 autocast over float32 weights; interleaved, CPU seconds.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import numpy as np
import open_clip
import torch
from open_clip.loss import ClipLoss
from rich.console import Console
from rich.table import Table
from torch import Tensor

from manyview.model import (
    DualEncoder,
    ImageTowerConfig,
    ModelConfig,
    TextTowerConfig,
    WordPieceTokenizer,
    train_wordpiece,
)
from manyview.objective import both_ways, multi_view_loss
from manyview.train.config import OptimizerConfig
from manyview.train.optimizer import build_optimizers

_CONTEXT, _VOCABULARY = 77, 49_408
_LENGTHS = {"caption": (10, 17), "tags": (5, 10)}
_IMAGES = ("image", "image.2")
Parts = dict[str, float]


def main() -> None:
    """Both, step by step in turn; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    steps = {"open_clip": their_step(given.batch), "manyview": our_step(given.batch)}
    table = Table(title=f"CPU seconds of a step of {given.batch} records, medians of {given.repeat}")
    for column in ("precision", "", "forward + loss", "backward", "optimizer", "step", "times open_clip"):
        table.add_column(column, justify="left" if column in ("precision", "") else "right")
    for precision in given.precisions:
        found: dict[str, list[Parts]] = {name: [] for name in steps}
        for turn, (name, step) in itertools.product(range(given.repeat + 1), steps.items()):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                parts = step()
            if turn:  # the first warms up
                found[name].append(parts)
        whole = {name: [sum(parts.values()) for parts in of] for name, of in found.items()}
        ratios = [theirs / ours for theirs, ours in zip(whole["open_clip"], whole["manyview"], strict=True)]
        for name, of in found.items():
            each = [f"{statistics.median(parts[part] for parts in of):.2f}" for part in of[0]]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            median = f"{statistics.median(whole[name]):.2f}"
            table.add_row(precision, name, *each, median, spread if name == "manyview" else "1")
    Console(width=120).print(table)


def our_step(batch: int) -> Callable[[], Parts]:
    """A step with manyview's towers, objective and optimizer."""
    text = {
        "hidden_size": 512,
        "num_hidden_layers": 12,
        "num_attention_heads": 8,
        "intermediate_size": 2048,
        "max_position_embeddings": _CONTEXT,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
        "vocab_size": _VOCABULARY,
    }
    config = ModelConfig(
        embed_dim=512,
        image=ImageTowerConfig(name="vit_base_patch32_224", size=224),
        text=TextTowerConfig(name="bert", options=text),
    )
    model = DualEncoder(config, tokenizer()).train()
    optimizer = build_optimizers(model, OptimizerConfig(name="adamw"))
    images = {view: (pixels(batch) * 255).to(torch.uint8) for view in _IMAGES}
    tokens = {}
    for view in _LENGTHS:
        rows = ids(view, batch)
        lengths = torch.tensor([len(row) for row in rows], dtype=torch.int32)
        tokens[view] = {"ids": torch.cat(rows).int(), "lengths": lengths}
    present = {view: torch.ones(batch, dtype=torch.bool) for view in (*_IMAGES, *_LENGTHS)}
    pairs = [pair for a, b in itertools.combinations(present, 2) for pair in both_ways(a, b)]

    def loss() -> Tensor:
        features, scale = model(images, tokens, present)
        return multi_view_loss(features, pairs, scale, present=present).loss

    return lambda: timed(loss, optimizer.step, optimizer.zero_grad)


def their_step(batch: int) -> Callable[[], Parts]:
    """The same with OpenCLIP."""
    model = open_clip.create_model("ViT-B-32").train()
    decayed = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": rest, "weight_decay": 0.0}, {"params": decayed, "weight_decay": 0.2}]
    optimizer = torch.optim.AdamW(groups, lr=1e-4)
    criterion = ClipLoss()
    images = torch.cat([pixels(batch) for _ in _IMAGES])
    rows = [row for view in _LENGTHS for row in ids(view, batch)]
    texts = torch.stack([torch.nn.functional.pad(row, (0, _CONTEXT - len(row))) for row in rows])

    def loss() -> Tensor:
        features = [*model.encode_image(images, normalize=True).chunk(2)]
        features += model.encode_text(texts, normalize=True).chunk(2)
        scale = model.logit_scale.exp()
        total: Tensor = sum(criterion(a, b, scale) for a, b in itertools.combinations(features, 2))
        return total

    return lambda: timed(loss, optimizer.step, optimizer.zero_grad)


def timed(loss: Callable[[], Tensor], step: Callable[[], object], zero_grad: Callable[[], object]) -> Parts:
    """CPU seconds of the parts of one step."""
    zero_grad()
    marks = [time.process_time()]
    value = loss()
    marks.append(time.process_time())
    with torch.autocast("cpu", enabled=False):
        value.backward()  # type: ignore[no-untyped-call]
        marks.append(time.process_time())
        step()
    marks.append(time.process_time())
    names = ("forward", "backward", "optimizer")
    return dict(zip(names, (after - before for before, after in itertools.pairwise(marks)), strict=True))


def tokenizer() -> WordPieceTokenizer:
    """Any: the texts are drawn as numbers."""
    return train_wordpiece(["a text"], 100)


def pixels(batch: int) -> Tensor:
    """[batch, 3, 224, 224] in 0..1."""
    return torch.rand(batch, 3, 224, 224)


def ids(view: str, batch: int) -> list[Tensor]:
    """Texts as token numbers, the last the highest, where OpenCLIP pools."""
    draw = np.random.default_rng(len(view))
    lengths = draw.integers(*_LENGTHS[view], size=batch)
    return [
        torch.tensor([1, *draw.integers(5, _VOCABULARY - 1, size=length - 2), _VOCABULARY - 1]) for length in lengths
    ]


if __name__ == "__main__":
    main()
