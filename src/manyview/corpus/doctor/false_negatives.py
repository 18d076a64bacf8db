"""False negatives: how often two rows of a batch are the same thing."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["equal_share", "share_with_twin"]


def share_with_twin(sizes: Mapping[int, int], population: int, batch_size: int) -> float:
    """Expected share of the rows of a random batch that share their identity with another row of the batch.

    `sizes[c]` is the number of rows whose identity stands on c rows, themselves included; rows without an identity
    are in the `population` N only. Given that a row is in a batch of B, the B - 1 others are a random subset of the
    N - 1 other rows. C(N - c, B - 1) of the C(N - 1, B - 1) subsets avoid the c - 1 rows of the same identity, so
    the row has a twin with probability

        1 - C(N - c, B - 1) / C(N - 1, B - 1) = 1 - prod_{k=0}^{c-2} (N - B - k) / (N - 1 - k),

    averaged over the rows that have an identity. The product says the same the other way round: each of the c - 1
    rows in turn falls outside the batch. It is summed in logarithms, and is zero from k = N - B on: there is no
    room outside. Raises ValueError for a batch larger than the population.
    """
    if not 1 <= batch_size <= population:
        raise ValueError(f"a batch of {batch_size} from {population} rows")
    rows = sum(sizes.values())
    if not rows:
        return 0.0
    k = np.arange(min(max(sizes) - 1, population - batch_size))
    outside = np.concatenate(([0.0], np.cumsum(np.log1p(-(batch_size - 1) / (population - 1.0 - k)))))
    alone = sum(n * np.exp(outside[c - 1]) for c, n in sorted(sizes.items()) if c <= len(outside))
    return float(1.0 - alone / rows)


def equal_share(sizes: Mapping[int, int]) -> float:
    """Share of two different rows that have the same identity; `sizes` as for share_with_twin."""
    rows = sum(sizes.values())
    return sum(n * (c - 1) for c, n in sizes.items()) / (rows * (rows - 1)) if rows > 1 else 0.0
