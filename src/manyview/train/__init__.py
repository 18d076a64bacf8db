"""A loss becomes weights: recipes, the loop, checkpoints."""

from manyview.train.config import ObjectiveConfig, OptimizerConfig, PairConfig, TrainConfig
from manyview.train.dry_run import DryRun, dry_run
from manyview.train.loop import Evaluator, train
from manyview.train.metrics import read_metrics
from manyview.train.progress import JobProgress
from manyview.train.recipes import RECIPES, recipe
from manyview.train.run import batch_source
from manyview.train.run_folder import RunFolder
from manyview.train.view_weights import ViewWeigher

__all__ = [
    "RECIPES",
    "DryRun",
    "Evaluator",
    "JobProgress",
    "ObjectiveConfig",
    "OptimizerConfig",
    "PairConfig",
    "RunFolder",
    "TrainConfig",
    "ViewWeigher",
    "batch_source",
    "dry_run",
    "read_metrics",
    "recipe",
    "train",
]
