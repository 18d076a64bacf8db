"""View weights: how much each view of a record counts in a model that has been trained."""

from collections.abc import Callable, Mapping

import torch

from manyview.errors import ManyviewError
from manyview.model import DualEncoder
from manyview.model.record_vector import check_weights

__all__ = ["ViewWeigher", "weigh_views"]

ViewWeigher = Callable[[DualEncoder], tuple[Mapping[str, float], str]]
"""The weights of the views of a trained model's records, and a sentence on where they come from."""


def weigh_views(model: DualEncoder, weigher: ViewWeigher, device: torch.device) -> str:
    """Give the model the weights of its views, measured on `device`, and return the sentence on them.

    An error of the weigher costs the weights, never the model: they stay 1 and the sentence says why.
    """
    try:
        weights, sentence = weigher(model.to(device).eval())
        check_weights(weights)
    except ManyviewError as error:
        weights, sentence = {}, f"warning: record weights stay 1: {error}"
    finally:
        model.to("cpu")
    record = model.config.record.model_copy(update={"weights": dict(weights)})
    model.config = model.config.model_copy(update={"record": record})
    return sentence
