"""Waiting for what another process does."""

import time
from collections.abc import Callable
from typing import Any


def eventually(found: Callable[[], Any], seconds: float = 60) -> Any:
    """What is found when something is."""
    end = time.monotonic() + seconds
    while not (result := found()):
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.05)
    return result
