"""What ranks the records: their vectors under the weights of the model or of the user, or one view alone."""

import math
from collections.abc import Collection, Mapping

from manyview.errors import UsageError

__all__ = ["RECORD", "check_view", "check_weights", "with_weights"]

RECORD = "record"  # the record's vector, which ranks by default


def check_weights(weights: Mapping[str, float]) -> None:
    """Raise UsageError for a weight that is negative or no number."""
    for view, weight in weights.items():
        if not 0 <= weight < math.inf:
            raise UsageError(f"the weight of the view {view!r} is {weight:g}, allowed: a number of 0 or more")


def check_view(view: str, views: Collection[str]) -> None:
    """Raise UsageError for a view that no record has."""
    if view not in views:
        raise UsageError(f"no record here has a view {view!r}, allowed: {', '.join(views)}")


def with_weights(weights: Mapping[str, float], given: Mapping[str, float]) -> dict[str, float]:
    """The weights of all views with those that are given in their place; UsageError for what cannot rank."""
    check_weights(given)
    for view in given:
        check_view(view, weights)
    chosen = {view: float(given.get(view, weight)) for view, weight in weights.items()}
    if not any(chosen.values()):
        raise UsageError(f"the weights of all views are 0: give {' or '.join(chosen)} a weight above 0")
    return chosen
