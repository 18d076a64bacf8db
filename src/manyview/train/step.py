"""Step: one batch becomes one change of the weights, or is skipped with a reason."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from manyview.data import Batch
from manyview.errors import NonFiniteError
from manyview.model import token_rows
from manyview.objective import MultiViewLoss, multi_view_loss
from manyview.precision import autocast
from manyview.train.config import TrainConfig
from manyview.train.gradient_cache import backward_in_chunks
from manyview.train.optimizer import learning_rate_share, set_learning_rate
from manyview.train.spread import Spread
from manyview.train.state import TrainState, seed_step

__all__ = ["Outcome", "Skipped", "take_step"]

_SUSPECTS = 8


@dataclass(frozen=True)
class Outcome:
    """The loss of the whole batch, and the gradient's norm before clipping."""

    loss: MultiViewLoss
    grad_norm: float


@dataclass(frozen=True)
class Skipped:
    """A step that changed nothing: why, and the ids of this process's samples that it may be about."""

    reason: str
    suspects: Sequence[str]


class _NotFinite(Exception):
    def __init__(self, skipped: Skipped) -> None:
        super().__init__(skipped.reason)
        self.skipped = skipped


def take_step(config: TrainConfig, state: TrainState, spread: Spread, batch: Batch, total: int) -> Outcome | Skipped:
    """One optimizer step on this process's part of a batch; Skipped, on all processes alike, where numbers are not."""
    step, optimizer = state.progress.step, state.optimizer
    seed_step(config.seed, step, spread.world.rank)
    set_learning_rate(optimizer, learning_rate_share(step, total, config.optimizer.warmup_steps))
    optimizer.zero_grad()
    try:
        loss = _backward(config, spread, batch)
    except _NotFinite as found:
        return found.skipped
    norm = spread.clip(config.optimizer.clip_norm).item()
    if not math.isfinite(norm):
        optimizer.zero_grad()
        return Skipped("the gradient is not finite", batch.ids[:_SUSPECTS])
    optimizer.step()
    state.model.clamp_logit_scale()
    if state.average is not None:
        state.average.update(step)
    return Outcome(loss, norm)


def _backward(config: TrainConfig, spread: Spread, batch: Batch) -> MultiViewLoss:
    """The loss, with its gradient in the parameters."""
    device = spread.model.logit_scale.device
    images, tokens, present, identities, weights = (
        _moved(of, device) for of in (batch.images, batch.tokens, batch.present, batch.identities, batch.weights)
    )
    before = {view: [0, *of.cumsum(0).tolist()] for view, of in present.items()}  # entries before each row

    def encode(rows: slice) -> tuple[dict[str, Tensor], Tensor]:
        some = {view: token_rows(of, before[view][rows.start], before[view][rows.stop]) for view, of in tokens.items()}
        shown = {view: of[before[view][rows.start] : before[view][rows.stop]] for view, of in images.items()}
        with autocast(config.precision, device):
            return spread(shown, some, {view: of[rows] for view, of in present.items()})

    def objective(features: dict[str, Tensor], scale: Tensor) -> MultiViewLoss:
        try:
            with autocast(config.precision, device):
                return multi_view_loss(
                    features,
                    [pair.pair() for pair in config.objective.pairs],
                    scale,
                    present=present,
                    identities=identities,
                    false_negatives=config.objective.false_negatives,
                    weights=weights,
                    world=spread.world,
                )
        except NonFiniteError as error:
            raise _NotFinite(Skipped(str(error), _suspects(features, batch))) from error

    n = len(next(iter(present.values())))
    if config.chunk_size is not None and config.chunk_size < n:
        return backward_in_chunks(encode, n, config.chunk_size, objective, unsynchronized=spread.unsynchronized)
    loss = objective(*encode(slice(0, n)))
    loss.loss.backward()  # type: ignore[no-untyped-call]
    return loss


def _suspects(features: Mapping[str, Tensor], batch: Batch) -> list[str]:
    finite = torch.stack([of.detach().sum(1).isfinite() for of in features.values()]).all(0)
    return [name for name, fine in zip(batch.ids, finite.tolist(), strict=False) if not fine][:_SUSPECTS]


def _moved(tensors: Any, device: torch.device) -> Any:
    if isinstance(tensors, Tensor):
        return tensors.to(device, non_blocking=True)
    return {name: _moved(of, device) for name, of in tensors.items()}
