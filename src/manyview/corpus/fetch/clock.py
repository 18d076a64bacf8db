"""Clock: time as an argument, so that a test need not wait."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What politeness needs to know of time."""

    def now_s(self) -> float:
        """Seconds since some moment; never goes back."""

    def since_1970_s(self) -> float:
        """The date, for Retry-After and for the age of a robots.txt."""

    async def sleep(self, seconds: float) -> None:
        """Return once `now_s` has grown by that much."""


class SystemClock:
    """The time of this machine."""

    def now_s(self) -> float:
        return time.monotonic()

    def since_1970_s(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
