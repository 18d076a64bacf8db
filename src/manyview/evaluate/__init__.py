"""Evaluate: weights are judged."""

from manyview.evaluate.comparison import comparison, mean_comparison
from manyview.evaluate.encode import EncodedSplit, Encoder, encode_split
from manyview.evaluate.figures import check_askable, figures
from manyview.evaluate.neighbors import NeighborResults, nearest_tags, tag_neighbors
from manyview.evaluate.record_retrieval import (
    ANSWERS,
    EncodedRecords,
    RecordResults,
    encode_records,
    evaluate_records,
    rank_records,
    records_tree,
    with_records,
)
from manyview.evaluate.record_tasks import NEW_WORDS
from manyview.evaluate.record_weights import LearnedWeights, learn_record_weights, record_weigher
from manyview.evaluate.retrieval import RetrievalResults, evaluate, rank_split, results_tree
from manyview.evaluate.showcase import ShownQuery, showcase
from manyview.evaluate.tags import TagTask, tag_task

__all__ = [
    "ANSWERS",
    "NEW_WORDS",
    "EncodedRecords",
    "EncodedSplit",
    "Encoder",
    "LearnedWeights",
    "NeighborResults",
    "RecordResults",
    "RetrievalResults",
    "ShownQuery",
    "TagTask",
    "check_askable",
    "comparison",
    "encode_records",
    "encode_split",
    "evaluate",
    "evaluate_records",
    "figures",
    "learn_record_weights",
    "mean_comparison",
    "nearest_tags",
    "rank_records",
    "rank_split",
    "record_weigher",
    "records_tree",
    "results_tree",
    "showcase",
    "tag_neighbors",
    "tag_task",
    "with_records",
]
