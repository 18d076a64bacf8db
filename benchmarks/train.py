"""A training step of two image and two text views against the same step with OpenCLIP, on one thread.

    python benchmarks/train.py [--batch 16] [--repeat 5] [--precisions float32 bfloat16] [--what step text] [--write]

Towers of the size of ViT-B-32; captions of about 13 tokens, tags of about 7; all six contrasts; AdamW. OpenCLIP's model
encodes the views of a kind as one batch, with texts padded to its 77 tokens, and its loss is called for each contrast.
Both in float32, and both under bfloat16 autocast over float32 weights; interleaved, CPU seconds. "text" is the text
towers alone, forward and backward, over 48 captions and 48 tags.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Callable

import torch
from open_clip.loss import ClipLoss
from page import show
from torch import Tensor
from vit_b_32 import LENGTHS, drawn_texts, ours, packed, padded_to_context, theirs

from manyview.objective import both_ways, multi_view_loss
from manyview.train.config import OptimizerConfig
from manyview.train.optimizer import build_optimizers

_IMAGES = ("image", "image.2")
_TEXTS = 48
_WARM_UP = 2
Parts = dict[str, float]
Work = dict[str, Callable[[], Parts]]


def main() -> None:
    """Both, step by step in turn; medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    parser.add_argument("--what", nargs="+", choices=["step", "text"], default=["step", "text"])
    parser.add_argument("--write", action="store_true", help="put the tables into docs/benchmarks.md")
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    works: dict[str, tuple[str, Callable[[], Work]]] = {
        "step": (f"CPU seconds of a step of {given.batch} records", lambda: steps(given.batch)),
        "text": (f"CPU seconds of the text tower, {_TEXTS} captions and {_TEXTS} tags", text_towers),
    }
    for what in given.what:
        title, work = works[what]
        columns, rows = compared(work(), given.precisions, given.repeat)
        show(what, f"{title}, medians of {given.repeat}", columns, rows, write=given.write)


def compared(work: Work, precisions: list[str], repeat: int) -> tuple[list[str], list[list[str]]]:
    """Columns and rows: all kinds of work in turn, the first the measure of the others."""
    rows, columns = list[list[str]](), list[str]()
    for precision in precisions:
        found: dict[str, list[Parts]] = {name: [] for name in work}
        for turn, (name, do) in itertools.product(range(-_WARM_UP, repeat), work.items()):
            with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
                parts = do()
            if turn >= 0:
                found[name].append(parts)
        whole = {name: [sum(parts.values()) for parts in of] for name, of in found.items()}
        first, *_ = whole.values()
        for name, of in found.items():
            each = [f"{statistics.median(parts[part] for parts in of):.2f}" for part in of[0]]
            ratios = [before / now for before, now in zip(first, whole[name], strict=True)]
            spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            rows.append([f"{name}, {precision}", *each, f"{statistics.median(whole[name]):.2f}", spread])
            columns = ["", *of[0], "all", "times faster"]
    return columns, rows


def steps(batch: int) -> Work:
    """A whole step of OpenCLIP and of manyview."""
    return {"open_clip": their_step(batch), "manyview": our_step(batch)}


def our_step(batch: int) -> Callable[[], Parts]:
    """With manyview's towers, objective and optimizer."""
    model = ours().train()
    optimizer = build_optimizers(model, OptimizerConfig(name="adamw"))
    images = {view: (pixels(batch) * 255).to(torch.uint8) for view in _IMAGES}
    tokens = {view: packed(drawn_texts(view, batch)) for view in LENGTHS}
    present = {view: torch.ones(batch, dtype=torch.bool) for view in (*_IMAGES, *LENGTHS)}
    pairs = [pair for a, b in itertools.combinations(present, 2) for pair in both_ways(a, b)]

    def loss() -> Tensor:
        features, scale = model(images, tokens, present)
        return multi_view_loss(features, pairs, scale, present=present).loss

    return lambda: timed(loss, optimizer.zero_grad, optimizer.step)


def their_step(batch: int) -> Callable[[], Parts]:
    """The same with OpenCLIP."""
    model = theirs().train()
    groups = [
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.2},
    ]
    optimizer = torch.optim.AdamW(groups, lr=1e-4)
    criterion = ClipLoss()
    images = torch.cat([pixels(batch) for _ in _IMAGES])
    texts = padded_to_context([text for view in LENGTHS for text in drawn_texts(view, batch)])

    def loss() -> Tensor:
        features = [*model.encode_image(images, normalize=True).chunk(2)]
        features += model.encode_text(texts, normalize=True).chunk(2)
        scale = model.logit_scale.exp()
        total: Tensor = sum(criterion(a, b, scale) for a, b in itertools.combinations(features, 2))
        return total

    return lambda: timed(loss, optimizer.zero_grad, optimizer.step)


def text_towers() -> Work:
    """Forward and backward of the text towers alone; manyview's with texts padded to 77, too."""
    mine, their = ours(), theirs()
    texts = [text for view in LENGTHS for text in drawn_texts(view, _TEXTS)]
    tokens, rows = packed(texts), padded_to_context(texts)
    long = {"input_ids": rows, "attention_mask": (rows > 0).long()}
    plain = ours().text_tower.encoder
    plain.set_attn_implementation("sdpa")
    towers: dict[str, tuple[torch.nn.Module, Callable[[], Tensor]]] = {
        "open_clip, padded to 77": (their, lambda: their.encode_text(rows)),
        "the same tower, padded to 77": (plain, lambda: plain(**long).last_hidden_state[:, 0]),
        "manyview": (mine.text_tower, lambda: mine.text_tower(tokens)),
    }
    return {name: lambda of=of: timed(lambda: of[1]().sum(), of[0].zero_grad) for name, of in towers.items()}


def timed(
    loss: Callable[[], Tensor], zero_grad: Callable[[], object], step: Callable[[], object] | None = None
) -> Parts:
    """CPU seconds of the parts of one step."""
    zero_grad()
    marks = [time.process_time()]
    value = loss()
    marks.append(time.process_time())
    with torch.autocast("cpu", enabled=False):
        value.backward()  # type: ignore[no-untyped-call]
        marks.append(time.process_time())
        if step is not None:
            step()
            marks.append(time.process_time())
    taken = [after - before for before, after in itertools.pairwise(marks)]
    return dict(zip(("forward", "backward", "optimizer"), taken, strict=False))


def pixels(batch: int) -> Tensor:
    """[batch, 3, 224, 224] in 0..1."""
    return torch.rand(batch, 3, 224, 224)


if __name__ == "__main__":
    main()
