"""Features become a loss: weighted InfoNCE between any views, missing ones and false negatives masked."""

from manyview.objective.definition import MultiViewLoss, plain_multi_view_loss, plain_multi_view_sigmoid_loss
from manyview.objective.info_nce import FalseNegatives, info_nce
from manyview.objective.multi_view import multi_view_loss
from manyview.objective.pair import Pair
from manyview.objective.presets import PRESETS, both_ways
from manyview.objective.sigmoid import multi_view_sigmoid_loss

__all__ = [
    "PRESETS",
    "FalseNegatives",
    "MultiViewLoss",
    "Pair",
    "both_ways",
    "info_nce",
    "multi_view_loss",
    "multi_view_sigmoid_loss",
    "plain_multi_view_loss",
    "plain_multi_view_sigmoid_loss",
]
