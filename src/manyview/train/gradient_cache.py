"""Gradient caching: the gradient of a whole batch, with the activations of one chunk in memory."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor

from manyview.objective import MultiViewLoss

__all__ = ["backward_in_chunks"]

Encode = Callable[[slice], tuple[dict[str, Tensor], Tensor]]


def backward_in_chunks(
    encode: Encode,
    n: int,
    chunk_size: int,
    objective: Callable[[dict[str, Tensor], Tensor], MultiViewLoss],
    *,
    unsynchronized: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> MultiViewLoss:
    """Backward of `objective` over n rows encoded `chunk_size` at a time (Gao et al. 2021, arXiv 2101.06983).

    `encode(rows)` gives ([rows, d] features of every view, scale). All chunks are encoded without a graph,
    the objective and its gradient by the features are computed once, and every chunk is encoded again, with
    the same random state and therefore the same dropout, to carry its part of that gradient into the
    weights. The accumulated gradient is that of the whole batch at any `chunk_size`. All replays but the
    last run in `unsynchronized()`: DistributedDataParallel's no_sync, where there is one.
    """
    chunks = [slice(start, min(n, start + chunk_size)) for start in range(0, n, chunk_size)]
    states, parts = [], list[dict[str, Tensor]]()
    with torch.no_grad():
        for chunk in chunks:
            states.append(_random_states())
            features, scale = encode(chunk)
            parts.append(features)
    leaves = {view: torch.cat([part[view] for part in parts]).requires_grad_() for view in parts[0]}
    scale = scale.detach().clone().requires_grad_()
    result = objective(leaves, scale)
    result.loss.backward()  # type: ignore[no-untyped-call]
    after = _random_states()
    for chunk, state in zip(chunks, states, strict=True):
        last = chunk.stop == n
        with nullcontext() if last else unsynchronized():
            _restore(state)
            again, again_scale = encode(chunk)
            outputs = {leaves[view]: of for view, of in again.items()} | ({scale: again_scale} if last else {})
            carried = [(of, leaf.grad) for leaf, of in outputs.items() if of.requires_grad and leaf.grad is not None]
            torch.autograd.backward(
                [of for of, _ in carried],
                [by if of is again_scale else by[chunk] for of, by in carried],
            )
    _restore(after)
    return result


def _random_states() -> Sequence[Tensor]:
    """Of the CPU, then of each GPU in use."""
    return [torch.get_rng_state(), *(torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [])]


def _restore(states: Sequence[Tensor]) -> None:
    torch.set_rng_state(states[0])
    if len(states) > 1:
        torch.cuda.set_rng_state_all(list(states[1:]))
