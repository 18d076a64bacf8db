"""Dry run: what a training would be, measured on its first batch, before money is spent on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from manyview.corpus.corpus import Corpus
from manyview.data import Batch, BatchSource
from manyview.distributed import ALONE
from manyview.model import DualEncoder, token_rows
from manyview.train.config import TrainConfig
from manyview.train.idle_steps import IdleSteps, StepNumbers, same_shares
from manyview.train.optimizer import build_optimizers
from manyview.train.run import batch_source, corpora_of, new_model, resolved, texts_there, tokenizer_of
from manyview.train.spread import spread
from manyview.train.state import Progress, TrainState
from manyview.train.step import take_step

__all__ = ["DryRun", "dry_run"]

_PROBED = 12  # records of the first batch whose activations are compared with those of a third of them


@dataclass(frozen=True)
class DryRun:
    """What a run would be. Memory is in megabytes: `fixed_mb` for weights, gradients and what moves them,
    `activations_mb` for what a record keeps until the backward pass, `process_mb` for one of `processes`.
    `warnings` say what of the first batch would teach nothing."""

    steps: int
    records: int
    epochs: float
    parameters: dict[str, int]
    fixed_mb: float
    activations_mb: float
    process_mb: float
    processes: int
    batch: Batch
    warnings: tuple[str, ...]


def dry_run(config: TrainConfig, processes: int = 1) -> DryRun:
    """Make the model and the first batch, and train one small step in memory; writes nothing.

    Raises what `train` would: UsageError, DataError.
    """
    corpora, config = corpora_of(config), resolved(config)
    model = new_model(config, tokenizer_of(config, corpora), torch.device("cpu"))
    source = batch_source(config, corpora, model.tokenize)
    batch = source[0]
    more = min(_PROBED, len(batch.ids))
    few = max(1, more // 3)
    each = (_activations_mb(config, batch, model, more) - _activations_mb(config, batch, model, few)) / (more - few)
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    moved = sum(of.numel() * of.element_size() for of in _moments(config, model))
    fixed = (2 * weights + moved + (weights if config.ema_decay else 0)) / 1e6
    if config.parallel == "fsdp":
        fixed /= processes
    alive = min(config.chunk_size or config.batch_size, -(-config.batch_size // processes))
    total = config.total_steps(source.pass_length)
    return DryRun(
        steps=total,
        records=source.order.epoch_length,
        epochs=total * config.batch_size / source.pass_length,
        parameters={name: sum(p.numel() for p in part.parameters()) for name, part in _parts(model)},
        fixed_mb=fixed,
        activations_mb=each,
        process_mb=fixed + each * alive,
        processes=processes,
        batch=batch,
        warnings=_warnings(config, corpora, source, batch),
    )


def _warnings(config: TrainConfig, corpora: list[Corpus], source: BatchSource, batch: Batch) -> tuple[str, ...]:
    """What `train` would warn of in its first steps, as far as the first batch shows it."""
    idle = IdleSteps(config.batch_size, source.order.epoch_length, lambda: texts_there(config, corpora))
    texts, images = ({view: int(batch.present[view].sum()) for view in views} for views in (batch.texts, batch.images))
    equal = same_shares(batch, [pair.pair() for pair in config.objective.pairs])
    return tuple(idle.look(1, StepNumbers(texts, equal, images=images), at_once=True))


def _parts(model: DualEncoder) -> Iterator[tuple[str, nn.Module]]:
    yield "image tower", model.image_tower
    yield "text tower", model.text_tower
    yield "all", model


def _activations_mb(config: TrainConfig, batch: Batch, model: DualEncoder, n: int) -> float:
    """What the graph of a step over the first n records of a batch keeps, each tensor once."""
    small = config.model_copy(update={"chunk_size": None})
    optimizer = build_optimizers(model, config.optimizer)
    state = TrainState(model, optimizer, None, 0, Progress())
    calls = spread(model, ALONE, recompute=config.activation_checkpointing)
    with _counted() as kept:
        take_step(small, state, calls, _first_records(batch, n), 1)
    weights = {of.untyped_storage().data_ptr() for of in model.parameters()}
    return sum(size for place, size in kept.items() if place not in weights) / 1e6


def _first_records(batch: Batch, n: int) -> Batch:
    """The first n records of a batch, in memory of their own."""
    counts = {view: int(of[:n].sum()) for view, of in batch.present.items()}
    return replace(
        batch,
        ids=batch.ids[:n],
        images={view: of[: counts[view]].clone() for view, of in batch.images.items()},
        texts={view: of[:n] for view, of in batch.texts.items()},
        tokens={view: _copied(token_rows(of, 0, counts[view])) for view, of in batch.tokens.items()},
        present={view: of[:n] for view, of in batch.present.items()},
        identities={view: of[:n] for view, of in batch.identities.items()},
        weights={view: of[:n] for view, of in batch.weights.items()},
    )


def _copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: of.clone() for name, of in tensors.items()}


@contextmanager
def _counted() -> Iterator[dict[int, int]]:
    """Bytes of every storage that autograd keeps, by address; all are held so that no address comes twice."""
    kept, held = dict[int, int](), list[Tensor]()

    def note(of: Tensor) -> Tensor:
        kept[of.untyped_storage().data_ptr()] = of.untyped_storage().nbytes()
        held.append(of)
        return of

    with torch.autograd.graph.saved_tensors_hooks(note, lambda of: of):
        yield kept


def _moments(config: TrainConfig, model: DualEncoder) -> Iterator[Tensor]:
    """What the optimizer remembers after a step."""
    optimizer = build_optimizers(model, config.optimizer)
    moving = [parameter for parameter in model.parameters() if parameter.requires_grad]
    for parameter in moving:
        parameter.grad = torch.zeros_like(parameter)
    for group in optimizer.param_groups:
        group["lr"] = 0.0
    optimizer.step()
    for parameter in moving:
        yield from optimizer.state_of(parameter).values()
