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

    `save`: process 0's clock says so; `present` counts records by view; `waited_s` is the mean over the processes.
    """

    stop: signal.Signals | None
    save: bool
    present: Mapping[str, int]
    waited_s: float
    problems: Sequence[tuple[str, str]]


def agree(
    world: World,
    *,
    stop: signal.Signals | None,
    save: bool,
    present: Mapping[str, int],
    waited_s: float,
    problems: Sequence[tuple[str, str]],
    error: ManyviewError | None,
) -> Agreement:
    """A collective; `present` has the same views on every process. Raises `error` of any process on all of them."""
    interrupted, told = stop == signal.SIGINT, stop is not None
    mine = [interrupted, told, save and world.rank == 0, waited_s, len(problems), error is not None]
    numbers = world.sum(torch.tensor([*mine, *present.values()], dtype=torch.float64)).tolist()
    if numbers[5]:
        for rank, other in enumerate(world.tell(error)):
            if other is not None:
                raise other if world.size == 1 else type(other)(f"process {rank}: {other}")
    everyones = [of for told in world.tell(list(problems)) for of in told] if numbers[4] else []
    return Agreement(
        stop=(signal.SIGINT if numbers[0] else stop or signal.SIGTERM) if numbers[1] else None,
        save=bool(numbers[2]),
        present={view: int(count) for view, count in zip(present, numbers[6:], strict=True)},
        waited_s=numbers[3] / world.size,
        problems=everyones,
    )
