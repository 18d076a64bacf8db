"""Evaluate: weights are judged."""

from manyview.evaluate.comparison import comparison, mean_comparison
from manyview.evaluate.encode import EncodedSplit, Encoder, encode_split
from manyview.evaluate.figures import check_askable, figures
from manyview.evaluate.neighbors import NeighborResults, nearest_tags, tag_neighbors
from manyview.evaluate.retrieval import RetrievalResults, evaluate, rank_split, results_tree
from manyview.evaluate.showcase import ShownQuery, showcase
from manyview.evaluate.tags import TagTask, tag_task

__all__ = [
    "EncodedSplit",
    "Encoder",
    "NeighborResults",
    "RetrievalResults",
    "ShownQuery",
    "TagTask",
    "check_askable",
    "comparison",
    "encode_split",
    "evaluate",
    "figures",
    "mean_comparison",
    "nearest_tags",
    "rank_split",
    "results_tree",
    "showcase",
    "tag_neighbors",
    "tag_task",
]
