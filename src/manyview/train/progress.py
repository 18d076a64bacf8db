"""Progress: how far a job is and how long it will still take, on a terminal or in a log."""

import time
from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from manyview.terminal import literal_console
from manyview.train.metrics import Metrics, Sink

__all__ = ["JobProgress"]

_PLAIN_EVERY_S = 10.0
_WINDOW_S = 60.0
_FIRST_GUESS_S = 5.0


class JobProgress:
    """A bar a part on a terminal, a line every ten seconds elsewhere; both say what is left of the whole.

    `parts` are the names of the job's parts with their expected costs in any one unit. The time left is
    the cost left over the speed of the last minute, later of the last half of the time, so that a machine
    that has become slower is believed and a moment's stumble is not.
    """

    def __init__(self, parts: Mapping[str, float], console: Console | None = None) -> None:
        self._console = console or literal_console(stderr=True)
        self._costs = dict(parts)
        self._shares = dict.fromkeys(parts, 0.0)
        self._seen: deque[tuple[float, float]] = deque()
        self._began = 0.0
        self._spoken = -_PLAIN_EVERY_S
        self._bars = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=32),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[note]}", markup=False),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        width = max(map(len, parts))
        self._tasks: dict[str, TaskID] = {
            name: self._bars.add_task(f"{name:<{width}}", total=1.0, note="") for name in parts
        }

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def advance(self, part: str, share: float, note: str = "", *, already: bool = False) -> None:
        """A part is done to `share`; `already` says that it was so before this process began."""
        self._shares[part] = share
        now, done = time.monotonic(), sum(self._costs[name] * share for name, share in self._shares.items())
        if already or not self._seen:
            self._seen.clear()
            self._began = now
        self._seen.append((now, done))
        while now - self._seen[0][0] > max(_WINDOW_S, (now - self._began) / 2):
            self._seen.popleft()
        told = f"{note}  {self._left()}".strip()
        for name, task in self._tasks.items():
            self._bars.update(task, completed=self._shares[name], note=told if name == part else "")
        if not self._console.is_terminal and (now - self._spoken >= _PLAIN_EVERY_S or share >= 1):
            self._spoken = now
            self._console.print(f"{part} {share:4.0%}  {told}", highlight=False, soft_wrap=True)

    def sink(self, part: str) -> Sink:
        """A sink for `train` that advances a part."""

        def advance(metrics: Metrics) -> None:
            note = f"step {metrics['step']}/{metrics['steps']}  loss {metrics['loss']:.2f}"
            self.advance(part, metrics["step"] / metrics["steps"], note)

        return advance

    def _left(self) -> str:
        (start, before), (now, done) = self._seen[0], self._seen[-1]
        if now - start < _FIRST_GUESS_S or done <= before:
            return ""
        seconds = (sum(self._costs.values()) - done) * (now - start) / (done - before)
        minutes, seconds = divmod(round(max(0.0, seconds)), 60)
        return f"about {minutes} min {seconds:02.0f} s left" if minutes else f"about {seconds:.0f} s left"
