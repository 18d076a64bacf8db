"""Tally: what came of the URLs so far, and whether it is so bad that going on makes no sense."""

from __future__ import annotations

from collections import Counter

from manyview.corpus.fetch.report import FetchReport
from manyview.corpus.fetch.rules import FetchRules
from manyview.errors import TooManyFailuresError

__all__ = ["FETCHED", "Tally"]

FETCHED = "fetched"
_NAMED = 5


class Tally:
    """Counts each URL once, by its latest outcome: a first failed try counts until a later one succeeds."""

    def __init__(self, rules: FetchRules) -> None:
        self._rules = rules
        self._counts = Counter[str]()
        self.known = self.bytes = self._tried = self._failing = 0

    def move(self, before: str | None, outcome: str, *, judged: bool = True) -> None:
        """A URL's outcome is now another. Raises TooManyFailuresError."""
        self._counts[outcome] += 1
        if before is not None:
            self._counts[before] -= 1
        if judged:
            self._tried += before is None
            self._failing += (outcome != FETCHED) - (before not in {None, FETCHED})
            if self._tried >= self._rules.stop_after:
                self._judge()

    def _judge(self) -> None:
        if self._failing > self._rules.max_failure_share * self._tried:
            raise TooManyFailuresError(self._sentence())

    def report(self, seconds: float) -> FetchReport:
        """The counts so far."""
        return FetchReport(dict(self._ordered()), self.known, self.bytes, seconds)

    def _ordered(self) -> list[tuple[str, int]]:
        return sorted(((why, n) for why, n in self._counts.items() if n), key=lambda pair: (-pair[1], pair[0]))

    def _sentence(self) -> str:
        reasons = [f"{why} ({n})" for why, n in self._ordered() if why != FETCHED]
        more = ["…"] if len(reasons) > _NAMED else []
        return (
            f"fetching stopped: {self._failing} of the first {self._tried} URLs failed, allowed: a share of "
            f"{self._rules.max_failure_share:g}; reasons: {', '.join(reasons[:_NAMED] + more)}; "
            "what was fetched stays, the failures will be tried again"
        )
