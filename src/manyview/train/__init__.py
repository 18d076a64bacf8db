"""A loss becomes weights: recipes, the loop, checkpoints."""

from manyview.train.config import ObjectiveConfig, OptimizerConfig, PairConfig, TrainConfig
from manyview.train.loop import batch_source, train
from manyview.train.metrics import read_metrics
from manyview.train.progress import JobProgress
from manyview.train.recipes import RECIPES, recipe
from manyview.train.run_folder import RunFolder

__all__ = [
    "RECIPES",
    "JobProgress",
    "ObjectiveConfig",
    "OptimizerConfig",
    "PairConfig",
    "RunFolder",
    "TrainConfig",
    "batch_source",
    "read_metrics",
    "recipe",
    "train",
]
