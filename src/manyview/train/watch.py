"""Watch: what a run's numbers say is going wrong, each said once with what to try."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Watch"]

_STEPS = 300  # of patience
_NEAR = 0.02


class Watch:
    """Looks at every step's metrics."""

    def __init__(self, max_scale: float) -> None:
        self._max_scale = max_scale
        self._stuck = dict[str, int]()
        self._clamped = self._waiting = 0
        self._said = set[str]()

    def look(self, metrics: Mapping[str, Any], keys: Mapping[str, int]) -> Iterator[str]:
        """Sentences that have not been said before; `keys` counts the keys of each pair."""
        for pair, loss in metrics["terms"].items():
            chance = math.log(max(1, keys[pair]))
            self._stuck[pair] = self._stuck.get(pair, 0) + 1 if abs(loss - chance) < _NEAR * chance else 0
            if self._stuck[pair] == _STEPS:
                yield from self._once(
                    f"the loss of {pair} has been ln({keys[pair]}) = {chance:.2f}, that of guessing, for {_STEPS} "
                    "steps: try another learning rate or a longer warm-up, and look at `manyview views`"
                )
        self._clamped = self._clamped + 1 if metrics["scale"] > (1 - 1e-4) * self._max_scale else 0
        if self._clamped == _STEPS:
            yield from self._once(
                f"the scale has been at its clamp, {self._max_scale:g}, for {_STEPS} steps: a smaller learning rate, "
                "more regularization, or model.logit_scale_max; pairs that are copies of each other do this too"
            )
        self._waiting = self._waiting + 1 if metrics["data_wait"] > 0.5 else 0
        if self._waiting == _STEPS:
            yield from self._once(
                "more than half of the time goes into waiting for data: more workers, or faster storage"
            )

    def _once(self, sentence: str) -> Iterator[str]:
        if sentence not in self._said:
            self._said.add(sentence)
            yield sentence
