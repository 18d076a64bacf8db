"""Judged: a trained recipe and all that is measured of it."""

from dataclasses import dataclass
from typing import Any

from manyview.corpus import Corpus
from manyview.evaluate import (
    EncodedRecords,
    EncodedSplit,
    NeighborResults,
    RecordResults,
    RetrievalResults,
    encode_records,
    encode_split,
    rank_records,
    rank_split,
    records_tree,
    results_tree,
    tag_neighbors,
    tag_task,
)
from manyview.evaluate.queries import QUERY_KINDS
from manyview.evaluate.record_retrieval import RecordTree
from manyview.evaluate.report import Compute
from manyview.evaluate.retrieval import ResultsTree
from manyview.model import DualEncoder
from manyview.train import RunFolder, TrainConfig, read_metrics

__all__ = ["MAX_TAG_SHARE", "Judged", "judge"]

LANGUAGES = ("zh",)
MAX_TAG_SHARE = 0.01  # tags of more records than this say what kind of thing it is, not what


@dataclass(frozen=True)
class Judged:
    """One recipe: its run, its ranks of pictures and of records on the held-out split, and what it cost."""

    config: TrainConfig
    encoded: EncodedSplit
    ranks: RetrievalResults
    results: ResultsTree
    encoded_records: EncodedRecords
    record_ranks: RecordResults
    records: RecordTree
    neighbors: NeighborResults
    metrics: tuple[dict[str, Any], ...]
    compute: Compute

    @property
    def name(self) -> str:
        """The recipe's name."""
        return self.config.recipe


def judge(model: DualEncoder, config: TrainConfig, corpus: Corpus, folder: RunFolder) -> Judged:
    """Rank the pictures and the records of the held-out split, and the tags of its titles."""
    encoded = encode_split(model, corpus, kinds=QUERY_KINDS, languages=LANGUAGES)
    ranks = rank_split(encoded)
    encoded_records = encode_records(model, corpus, kinds=QUERY_KINDS, languages=LANGUAGES, encoded=encoded)
    record_ranks = rank_records(encoded_records)
    metrics = tuple(read_metrics(folder.metrics))
    last = metrics[-1]
    return Judged(
        config=config,
        encoded=encoded,
        ranks=ranks,
        results=results_tree([ranks]),
        encoded_records=encoded_records,
        record_ranks=record_ranks,
        records=records_tree([record_ranks]),
        neighbors=tag_neighbors(model, tag_task(corpus, max_share=MAX_TAG_SHARE)),
        metrics=metrics,
        compute=Compute(
            steps=last["step"],
            images=last["images"],
            texts=last["texts"],
            seconds=last["time"],
            peak_memory_mb=max(row["memory_mb"] for row in metrics),
            parameters=sum(p.numel() for p in model.parameters()),
        ),
    )
