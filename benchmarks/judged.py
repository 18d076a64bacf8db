"""Judged: all that is measured of one finished run, measured once and kept beside the run."""

import hashlib
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from manyview import DualEncoder
from manyview.corpus import Corpus
from manyview.demo.judged import MAX_TAG_SHARE
from manyview.evaluate import (
    RecordResults,
    RetrievalResults,
    evaluate,
    evaluate_records,
    record_weigher,
    tag_neighbors,
    tag_task,
)
from manyview.model import find_model, store_record_weights
from manyview.train import RunFolder

PICTURE_KINDS = ("title", "tags", "description", "title+tags", "title.zh", "tags.zh", "all.zh")
RECORD_KINDS = ("title", "tags", "description", "title.zh", "tags.zh")
_VERSION = "1"  # of what is measured: change it to have every run judged again


@dataclass(frozen=True)
class Judged:
    """Of one run: ranks of pictures and, by corpus, of records; `tied` is the percentage of a held-out title's own tags
    among its ten nearest; `weights` those of its record vector; `seconds` of training."""

    pictures: RetrievalResults
    records: Mapping[str, RecordResults]
    tied: float
    weights: Mapping[str, float]
    seconds: float


def judge_run(folder: Path, corpora: Mapping[str, Corpus], split: str) -> Judged:
    """Judge a run's model on a split of the first corpus, pictures and records, and of the others, records only.

    A model without record weights gets them first, learned on the validation split of the first corpus.
    What was measured before is read again, unless the model, the corpora or the split are other ones.
    """
    model_folder = find_model(folder)
    _weigh(folder, next(iter(corpora.values())))
    digest = hashlib.sha256(f"{_VERSION} {split}".encode())
    for name in ("config.json", "model.safetensors"):
        digest.update((model_folder / name).read_bytes())
    for name, corpus in corpora.items():
        digest.update(f"{name} {corpus.manifest.identity()}".encode())
    kept = folder / f"judged-{digest.hexdigest()[:16]}.pickle"
    if kept.is_file():
        judged = pickle.loads(kept.read_bytes())
        assert isinstance(judged, Judged)
        return judged
    judged = _judge(DualEncoder.from_pretrained(folder), folder, corpora, split)
    partial = kept.with_suffix(".partial")
    partial.write_bytes(pickle.dumps(judged))
    partial.replace(kept)
    return judged


def _weigh(folder: Path, corpus: Corpus) -> None:
    model = DualEncoder.from_pretrained(folder)
    if not model.config.record.weights:
        weights, _ = record_weigher({corpus.manifest.name: corpus}, "val")(model)
        store_record_weights(folder, weights)


def _judge(model: DualEncoder, folder: Path, corpora: Mapping[str, Corpus], split: str) -> Judged:
    trained_on = next(iter(corpora.values()))
    task = tag_task(trained_on, split, max_share=MAX_TAG_SHARE)
    return Judged(
        pictures=evaluate(model, trained_on, split, kinds=PICTURE_KINDS, every_image=False),
        records={name: evaluate_records(model, corpus, split, kinds=RECORD_KINDS) for name, corpus in corpora.items()},
        tied=100 * tag_neighbors(model, task).model.recall_at_10,
        weights=dict(model.config.record.weights),
        seconds=RunFolder(folder).last_metrics()["time"],
    )
