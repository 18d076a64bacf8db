"""Sample: which rows are looked at closely."""

from __future__ import annotations

import numpy as np

__all__ = ["RUN", "sample_rows"]

RUN = 50


def sample_rows(total: int, size: int, seed: int) -> np.ndarray:
    """About `size` of `total` row numbers, ascending, all when there are no more.

    Rows are drawn in runs of RUN neighbors, so that few blocks must be read; a corpus of ours is shuffled,
    so neighbors have nothing in common. Depends on the arguments alone.
    """
    if total <= size:
        return np.arange(total)
    runs = np.arange(-(-total // RUN))
    drawn = np.random.default_rng(seed).choice(runs, max(1, round(size / RUN)), replace=False)
    rows: np.ndarray = (np.sort(drawn)[:, None] * RUN + np.arange(RUN)).reshape(-1)
    return rows[rows < total]
