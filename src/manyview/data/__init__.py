"""Shards become batches of views, in an order and with a randomness that are pure functions."""

from manyview.data.batches import Batch, BatchSource, Tokenize
from manyview.data.images import decode_image
from manyview.data.loader import iterate
from manyview.data.views import Augment, ImageView, TextView, ViewsConfig

__all__ = [
    "Augment",
    "Batch",
    "BatchSource",
    "ImageView",
    "TextView",
    "Tokenize",
    "ViewsConfig",
    "decode_image",
    "iterate",
]
