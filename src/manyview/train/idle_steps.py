"""IdleSteps: steps that teach nothing are warned of at once, and end the run when they last."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from manyview.data import Batch
from manyview.errors import DataError
from manyview.objective import Pair

__all__ = ["IdleSteps", "StepNumbers", "same_shares"]

_LASTING_STEPS = 10
_LASTING_RECORDS = 10_000  # a kind of text that one record in a thousand has is rare, not missing
_FIRST_STEPS = 3
_NEARLY_ALL = 0.9


@dataclass(frozen=True)
class StepNumbers:
    """What a step shows, over the whole batch.

    `texts` and `images`: number of records by view; `equal`: share of negatives that are the same thing as a positive,
    by pair.
    """

    texts: Mapping[str, int]
    equal: Mapping[Pair, float]
    loss: float = 1.0
    grad_norm: float = 1.0
    images: Mapping[str, int] = field(default_factory=dict)


class IdleSteps:
    """Counts steps in a row that have no text for a view, or nothing to learn from.

    Give all processes the same numbers, so that they warn and raise alike. `explain` says what the corpus has; it is
    called only when something is wrong.
    """

    def __init__(self, batch_size: int, records: int, explain: Callable[[], str]) -> None:
        self._batch_size, self._records, self._explain = batch_size, records, explain
        self._absent = dict[str, int]()
        self._equal = dict[Pair, int]()
        self._idle = 0
        self._warned = set[str]()

    def look(self, step: int, numbers: StepNumbers, *, at_once: bool = False) -> Iterator[str]:
        """Warnings about step `step`, each once; of equal contents after three steps, or `at_once`.

        Raises DataError when 10 steps in a row had nothing to learn from, and when a view had no text for 10 steps in a
        row that have 10,000 records, or as many as two epochs (a record may come early in one and late in the next).
        """
        for view, count in numbers.texts.items():
            self._absent[view] = 0 if count else self._absent.get(view, 0) + 1
            if self._absent[view]:
                yield from self._view(step, view)
        for pair, share in numbers.equal.items():
            self._equal[pair] = self._equal.get(pair, 0) + 1 if share >= _NEARLY_ALL else 0
            if self._equal[pair] >= (1 if at_once else _FIRST_STEPS):
                yield from self._once(
                    f"equal {pair}",
                    f"{share:.0%} of the negatives of {pair} are the same thing as its positives: the texts or the "
                    f"images of a batch are nearly all equal, so that this pair teaches little; look at them with "
                    f"`manyview views` and `manyview doctor`, and name other kinds of text. {self._explain()}",
                )
        reason = _nothing_to_learn(numbers)
        self._idle = self._idle + 1 if reason else 0
        if self._idle >= _LASTING_STEPS:
            raise DataError(
                f"the model learned nothing in the last {self._idle} steps, because {reason}: look at the batches with "
                f"`manyview views`, and name other kinds of text in views.texts. {self._explain()}"
            )
        if reason:
            yield from self._once("idle", f"step {step}: the model learns nothing from this batch, because {reason}")

    def _view(self, step: int, view: str) -> Iterator[str]:
        steps = self._absent[view]
        setting = f"views.texts.{view}.kinds and views.langs say what it draws from"
        if steps >= _LASTING_STEPS and steps * self._batch_size >= min(_LASTING_RECORDS, 2 * self._records):
            raise DataError(
                f"no record of the last {steps} batches has a text for the view {view!r}: {setting}. {self._explain()}"
            )
        yield from self._once(
            f"absent {view}",
            f"step {step}: no record of the whole batch has a text for the view {view!r}; {setting}. {self._explain()}",
        )

    def _once(self, about: str, sentence: str) -> Iterator[str]:
        if about not in self._warned:
            self._warned.add(about)
            yield sentence


def _nothing_to_learn(numbers: StepNumbers) -> str:
    """Why a step changes nothing, or "". A loss of exactly zero by itself is a batch that is known by heart."""
    absent = {view for view, count in (*numbers.texts.items(), *numbers.images.items()) if not count}
    shares = [share for pair, share in numbers.equal.items() if not absent & {pair.query, pair.key}]
    if not shares:
        return "no two views that are a pair have any record"
    if min(shares) >= 1:
        return "the texts or the images of a batch are all equal"
    if numbers.grad_norm == 0 and numbers.loss != 0:
        return "its gradient is exactly zero"
    return ""


def same_shares(batch: Batch, pairs: Sequence[Pair]) -> dict[Pair, float]:
    """For each pair, the share of two different rows of a batch that are the same thing: equal on either side."""
    shares = {}
    for pair in pairs:
        rows = (batch.present[pair.query] & batch.present[pair.key]).numpy()
        queries, keys = (batch.identities[view].numpy()[rows] for view in (pair.query, pair.key))
        ways = max(1, len(queries) * (len(queries) - 1))
        both = np.stack([queries, keys], axis=1)
        shares[pair] = (_equal_rows(queries) + _equal_rows(keys) - _equal_rows(both)) / ways
    return shares


def _equal_rows(rows: np.ndarray) -> int:
    """Ordered pairs of different rows that are equal."""
    counts = np.unique(rows, axis=0, return_counts=True)[1]
    return int((counts * (counts - 1)).sum())
