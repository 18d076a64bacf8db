"""The training loop: batches in, a model out, and nothing lost on the way."""

import signal
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from manyview import __version__
from manyview.corpus.corpus import Corpus
from manyview.corpus.fingerprint import identity
from manyview.data import Batch, BatchSource, Tokenize, iterate
from manyview.errors import DataError, Interrupted, ManyviewError, Saved, UsageError
from manyview.model import DualEncoder, token_rows, train_wordpiece
from manyview.objective import MultiViewLoss, multi_view_loss
from manyview.train.checkpoint import latest_checkpoint, load_checkpoint, save_checkpoint
from manyview.train.config import TrainConfig
from manyview.train.gradient_cache import backward_in_chunks
from manyview.train.metrics import Sink, jsonl_sink, log_sink, peak_memory_mb, rewind
from manyview.train.optimizer import Optimizers, build_optimizers, learning_rate_share, set_learning_rate
from manyview.train.run_folder import RunFolder
from manyview.train.stopping import StopRequest, catch_stop

__all__ = ["batch_source", "train"]

_PATIENCE = 200  # images seen before their bad share is judged


def train(
    config: TrainConfig,
    out: Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    sinks: Sequence[Sink] = (),
) -> DualEncoder:
    """Train `config` into the run folder `out` and return the model.

    `sinks` are given the metrics of every step. With `resume`, continues at the sample after the newest
    checkpoint, or starts. Raises UsageError (see RunFolder.begin), DataError for a damaged corpus or too
    many undecodable images, Saved and Interrupted after a signal, with the state on the disk.
    """
    corpus = Corpus.open(config.corpus)
    folder = RunFolder(out)
    run = _Run.prepare(config, corpus)  # wrong settings are found before anything is written
    folder.begin(config, resume=resume, overwrite=overwrite)
    if resume:
        run.restore(folder)
    rewind(folder.metrics, run.step)
    logged = (jsonl_sink(folder.metrics), log_sink(folder.path / "train.log"))
    with catch_stop() as stop:
        _steps(run, folder, stop, sinks, logged)
    try:
        run.model.save_pretrained(folder.model, _told(config, corpus, run))
    except OSError as error:
        raise ManyviewError(f"cannot write the model to {folder.model}: {error.strerror or error}") from error
    return run.model.eval()


@dataclass
class _Run:
    """What moves while training, and what it is moved by."""

    config: TrainConfig
    source: BatchSource
    model: DualEncoder
    optimizer: Optimizers
    device: torch.device
    total: int
    corpus_identity: int
    step: int = 0
    seconds: float = 0.0
    images: int = 0
    texts: int = 0
    bad: dict[str, str] = field(default_factory=dict)

    @classmethod
    def prepare(cls, config: TrainConfig, corpus: Corpus) -> "_Run":
        torch.manual_seed(config.seed)
        device = _device(config.device)
        model = DualEncoder(config.model, _tokenizer(config, corpus)).to(device)
        source = batch_source(config, corpus, model.tokenize)
        optimizer = build_optimizers(model, config.optimizer)
        told = identity(corpus.manifest.model_dump_json().encode())
        total = config.total_steps(source.order.epoch_length)
        return cls(config, source, model, optimizer, device, total, told)

    def state(self) -> dict[str, Any]:
        """All that the next step depends on."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "random": torch.get_rng_state(),
            "images": self.images,
            "texts": self.texts,
            "bad": self.bad,
            "corpus": self.corpus_identity,
        }

    def restore(self, folder: RunFolder) -> None:
        """Continue from the newest checkpoint, if there is one."""
        newest = latest_checkpoint(folder.checkpoints)
        if newest is None:
            return
        state = load_checkpoint(newest)
        if state["corpus"] != self.corpus_identity:
            raise UsageError(f"the corpus {self.config.corpus} is not the one that {folder.path} was trained on")
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["random"])
        self.step, self.seconds, self.bad = state["step"], state["seconds"], state["bad"]
        self.images, self.texts = state["images"], state["texts"]


def _steps(run: _Run, folder: RunFolder, stop: StopRequest, sinks: Sequence[Sink], logged: Sequence[Sink]) -> None:
    config = run.config
    run.model.train()
    began = run.seconds
    batches = iterate(run.source, run.step, run.total, config.workers)
    clock = time.perf_counter()
    while run.step < run.total:
        asked = time.perf_counter()
        batch = next(batches)
        waited = time.perf_counter() - asked
        _count_bad(run, batch)
        loss, norm = _optimize(run, batch)
        run.step += 1
        run.images += sum(len(of) for of in batch.images.values())
        run.texts += sum(int(batch.present[view].sum()) for view in batch.texts)
        run.seconds = began + time.perf_counter() - clock
        metrics = _metrics(run, batch, loss, norm, waited, time.perf_counter() - asked)
        due = run.step % config.log_every == 0 or run.step in (1, run.total)
        for sink in (*sinks, *logged) if due else sinks:
            sink(metrics)
        if run.step % config.save_every == 0 or run.step == run.total or stop:
            save_checkpoint(folder.checkpoints, run.step, run.state(), config.keep_checkpoints)
        if stop and run.step < run.total:
            _leave(run, folder, stop)


def _optimize(run: _Run, batch: Batch) -> tuple[MultiViewLoss, float]:
    """One optimizer step: the loss it had, and the gradient's norm before clipping."""
    config = run.config.optimizer
    share = learning_rate_share(run.step, run.total, config.warmup_steps)
    set_learning_rate(run.optimizer, share)
    images, tokens, present, identities = (
        _moved(of, run) for of in (batch.images, batch.tokens, batch.present, batch.identities)
    )
    before = {view: [0, *present[view].cumsum(0).tolist()] for view in tokens}  # texts before each row

    def encode(rows: slice) -> tuple[dict[str, Tensor], Tensor]:
        some = {view: token_rows(of, before[view][rows.start], before[view][rows.stop]) for view, of in tokens.items()}
        with _autocast(run):
            encoded: tuple[dict[str, Tensor], Tensor] = run.model(
                {view: of[rows] for view, of in images.items()}, some, {view: of[rows] for view, of in present.items()}
            )
        return encoded

    def objective(features: dict[str, Tensor], scale: Tensor) -> MultiViewLoss:
        return multi_view_loss(
            features,
            [pair.pair() for pair in run.config.objective.pairs],
            scale,
            present=present,
            identities=identities,
            false_negatives=run.config.objective.false_negatives,
        )

    run.optimizer.zero_grad()
    n = len(batch.ids)
    if run.config.chunk_size is not None and run.config.chunk_size < n:
        loss = backward_in_chunks(encode, n, run.config.chunk_size, objective)
    else:
        loss = objective(*encode(slice(0, n)))
        loss.loss.backward()  # type: ignore[no-untyped-call]
    norm = torch.nn.utils.clip_grad_norm_(run.model.parameters(), config.clip_norm)
    run.optimizer.step()
    run.model.clamp_logit_scale()
    return loss, norm.item()


def _count_bad(run: _Run, batch: Batch) -> None:
    """Note undecodable images, whose image views are absent from the loss; too many of them end the run."""
    run.bad.update(batch.problems)
    seen = min((run.step + 1) * run.config.batch_size, run.source.order.epoch_length)
    if seen >= _PATIENCE and len(run.bad) > run.config.max_bad_share * seen:
        name, reason = next(iter(run.bad.items()))
        raise DataError(
            f"{len(run.bad)} of {seen} images cannot be decoded, allowed: max_bad_share="
            f"{run.config.max_bad_share:g}; the first is {name}: {reason}"
        )


def _leave(run: _Run, folder: RunFolder, stop: StopRequest) -> None:
    message = (
        f"stopped at step {run.step} of {run.total} and saved: "
        f"continue with the same command and --resume (run folder {folder.path})"
    )
    raise Interrupted(message) if stop.signal == signal.SIGINT else Saved(message)


def _metrics(run: _Run, batch: Batch, loss: MultiViewLoss, norm: float, waited: float, took: float) -> dict[str, Any]:
    return {
        "step": run.step,
        "steps": run.total,
        "epoch": round(batch.epoch, 4),
        "time": round(run.seconds, 3),
        "loss": loss.loss.item(),
        "terms": {str(pair): of.item() for pair, of in loss.terms.items()},
        "masked": {str(pair): of.item() for pair, of in loss.masked.items()},
        "scale": run.model.logit_scale.exp().item(),
        "learning_rate": run.optimizer.param_groups[0]["lr"],
        "grad_norm": norm,
        "samples_per_second": run.config.batch_size / took,
        "data_wait": waited / took,
        "images": run.images,
        "texts": run.texts,
        "bad_images": len(run.bad),
        "memory_mb": peak_memory_mb(),
    }


def batch_source(config: TrainConfig, corpus: Corpus, tokenize: Tokenize) -> BatchSource:
    """The batches that `config` trains on. Raises UsageError for a split or views that the corpus has not."""
    if config.image_sizes and config.model.image.name != "residual":
        raise UsageError("image_sizes needs a fully convolutional tower, model.image.name=residual")
    total = config.total_steps(corpus.splits.get(config.split, 0))
    return BatchSource(
        corpus,
        config.split,
        config.views,
        tokenize,
        size=partial(config.image_size, total=total),
        batch_size=config.batch_size,
        seed=config.seed,
        window=config.window,
        source_exponent=config.source_exponent,
    )


def _told(config: TrainConfig, corpus: Corpus, run: _Run) -> str:
    """The card's section on training."""
    pairs = ", ".join(f"{pair.query} → {pair.key} ({pair.weight:g})" for pair in config.objective.pairs)
    return (
        f"manyview {__version__}, recipe `{config.recipe}`, {run.step:,} steps of {config.batch_size} records of the "
        f"corpus {corpus.manifest.name!r} (split {config.split!r}, {run.source.order.epoch_length:,} records), "
        f"seed {config.seed}.\nViews contrasted, with weights: {pairs}.\n"
        "The licenses of the images and texts are those that the records of the corpus name."
    )


def _tokenizer(config: TrainConfig, corpus: Corpus) -> Any:
    """A WordPiece tokenizer trained on the split, or None for a tower that needs none."""
    if config.model.text.name == "ngrams":
        return None
    kinds = set().union(*(view.named_kinds() for view in config.views.texts.values()))
    texts = (t.text for record in corpus.records(config.split) for t in record.texts if t.kind in kinds)
    return train_wordpiece(texts, config.model.text.vocab_size)


def _device(name: str) -> torch.device:
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UsageError(f"device={name} cannot be used here: {str(error).splitlines()[0]}") from None
    return device


def _autocast(run: _Run) -> AbstractContextManager[Any]:
    precision = run.config.precision
    if precision == "auto":
        on_gpu = run.device.type == "cuda" and torch.cuda.is_bf16_supported()
        has_amx = run.device.type == "cpu" and torch.cpu._is_amx_tile_supported()
        precision = "bfloat16" if on_gpu or has_amx else "float32"
    return torch.autocast(run.device.type, torch.bfloat16) if precision == "bfloat16" else nullcontext()


def _moved(tensors: Any, run: _Run) -> Any:
    if isinstance(tensors, Tensor):
        return tensors.to(run.device, non_blocking=True)
    return {name: _moved(of, run) for name, of in tensors.items()}
