"""Agreement: what all processes must know before a step, told in one small collective."""

import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from manyview.distributed import World
from manyview.errors import ManyviewError

__all__ = ["Agreement", "agree"]


@dataclass(frozen=True)
class Agreement:
    """The same on every process: what stops the run, if anything, and the sums of what each has to say.

    `save`: process 0's clock says so; `texts` counts texts by view; `waited_s` is the mean over the processes.
    """

    stop: signal.Signals | None
    save: bool
    images: int
    texts: Mapping[str, int]
    waited_s: float
    problems: Sequence[tuple[str, str]]


def agree(
    world: World,
    *,
    stop: signal.Signals | None,
    save: bool,
    images: int,
    texts: Mapping[str, int],
    waited_s: float,
    problems: Sequence[tuple[str, str]],
    error: ManyviewError | None,
) -> Agreement:
    """A collective; `texts` has the same views on every process. Raises `error` of any process on all of them."""
    interrupted, told = stop == signal.SIGINT, stop is not None
    mine = [interrupted, told, save and world.rank == 0, images, waited_s, len(problems), error is not None]
    numbers = world.sum(torch.tensor([*mine, *texts.values()], dtype=torch.float64)).tolist()
    if numbers[6]:
        for rank, other in enumerate(world.tell(error)):
            if other is not None:
                raise other if world.size == 1 else type(other)(f"process {rank}: {other}")
    everyones = [of for told in world.tell(list(problems)) for of in told] if numbers[5] else []
    return Agreement(
        stop=(signal.SIGINT if numbers[0] else stop or signal.SIGTERM) if numbers[1] else None,
        save=bool(numbers[2]),
        images=int(numbers[3]),
        texts={view: int(count) for view, count in zip(texts, numbers[7:], strict=True)},
        waited_s=numbers[4] / world.size,
        problems=everyones,
    )
