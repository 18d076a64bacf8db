"""The training loop: batches in, a model out, and nothing lost on the way."""

import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from torch.distributed.tensor import DTensor

from manyview import __version__
from manyview.data import Batch, iterate
from manyview.distributed import ALONE, World
from manyview.errors import DataError, Interrupted, ManyviewError, NonFiniteError, Saved, require_utf8
from manyview.model import DualEncoder
from manyview.train.agreement import Agreement, agree
from manyview.train.cached_features import fill_stores
from manyview.train.checkpoint import best_checkpoint, latest_checkpoint
from manyview.train.config import TrainConfig
from manyview.train.idle_steps import IdleSteps, StepNumbers, same_shares
from manyview.train.metrics import Metrics, Sink, jsonl_sink, log_sink, memory_mb, peak_memory_mb, rewind
from manyview.train.run import Run, finished_weights, texts_there
from manyview.train.run_folder import RunFolder
from manyview.train.sinks import tensorboard_sink, wandb_sink
from manyview.train.start import credited, training_mode
from manyview.train.step import Outcome, Skipped, take_step
from manyview.train.stopping import StopRequest, catch_stop
from manyview.train.view_weights import ViewWeigher, weigh_views
from manyview.train.watch import Watch

__all__ = ["SCORE", "Evaluator", "train"]

SCORE = "score"
Evaluator = Callable[[DualEncoder, World], Mapping[str, float]]
"""Figures of a model; `score` chooses the best checkpoint, larger is better. A collective of all processes."""

_PATIENCE = 200  # images seen before their bad share is judged
_MAX_SKIPPED = 10  # steps in a row
_LOOKED_INTO = 10  # first steps of which equal contents are counted, where the loss does not count them
_LOST = ("onnection closed by peer", "onnection reset by peer", "Timed out waiting", "Broken pipe", "NCCL")


def train(
    config: TrainConfig,
    out: str | Path,
    *,
    resume: bool = False,
    overwrite: bool = False,
    sinks: Sequence[Sink] = (),
    evaluator: Evaluator | None = None,
    weigher: ViewWeigher | None = None,
    world: World = ALONE,
) -> DualEncoder:
    """Train `config` into the run folder `out` and return the model; every process of `world` calls it alike.

    `sinks` are given the metrics of every step, on process 0. `evaluator` is asked every
    `config.evaluate_every` steps; `weigher` once, on process 0, for the record weights of the finished model, unless
    `config.model.record` sets them. With `resume`, continues at the sample after the newest checkpoint, or
    starts; so does a process that torchrun has started again. Raises UsageError (see RunFolder.begin),
    DataError for a damaged corpus, too many undecodable images, or steps in a row that teach nothing,
    NonFiniteError when ten steps in a row had to be skipped, Saved and Interrupted after a signal, with the state on
    the disk.
    """
    resume = resume or int(os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")) > 0
    require_utf8(out)
    folder = RunFolder(Path(out))
    run = Run.prepare(config, folder, world, resume=resume)  # what is wrong is found before anything is written
    with catch_stop() as stop, _company(world):
        world.first(lambda: run.begin(resume=resume, overwrite=overwrite))
        if resume and (newest := world.first(lambda: latest_checkpoint(folder.checkpoints))):
            run.state.restore(newest, world)
        if world.rank == 0:
            rewind(folder.metrics, run.state.progress.step)
            run.sinks, run.logs = sinks, tuple(_logs(run))
        _cache_features(run, stop)
        _steps(run, stop, evaluator)
        _sum_up_bad(run)
        return _finish(run, weigher)


@contextmanager
def _company(world: World) -> Iterator[None]:
    """A collective that fails because another process is gone says so."""
    try:
        yield
    except RuntimeError as error:
        said = str(error)
        if world.size > 1 and any(sign in said for sign in _LOST):
            raise ManyviewError(
                f"another of the {world.size} processes was lost ({said.splitlines()[0][:200]}): what it said, or what "
                "ended it, is the cause; the same command with --resume continues"
            ) from error
        raise


def _logs(run: Run) -> Iterator[Sink]:
    config, folder = run.config, run.folder
    yield jsonl_sink(folder.metrics)
    yield log_sink(folder.log)
    if config.tensorboard and (board := tensorboard_sink(folder.path / "tb", run.state.progress.step)):
        yield board
    if config.wandb is not None:
        yield wandb_sink(config.wandb, folder.path, config.model_dump(mode="json"))


def _cache_features(run: Run, stop: StopRequest) -> None:
    """Let locked towers give what start.cache asks for. Raises Saved and Interrupted after a signal."""

    def look_up() -> None:
        if asked := next(filter(None, run.world.tell(stop.signal)), None):
            _leave(run, asked)

    fill_stores(run.config, run.state.model, run.source, run.stores, run.world, say=run.say, look_up=look_up)


def _steps(run: Run, stop: StopRequest, evaluator: Evaluator | None) -> None:
    config, progress = run.config, run.state.progress
    training_mode(config.start, run.state.model)
    watch = Watch(math.exp(run.state.model.config.logit_scale_max))
    idle = IdleSteps(config.batch_size, run.source.order.epoch_length, lambda: texts_there(config, run.corpora))
    began, clock = progress.seconds, time.perf_counter()
    saved_at, skipped = clock, 0
    with closing(iterate(run.source, progress.step, run.total, config.workers, config.patience_s)) as batches:
        while progress.step < run.total:
            asked = time.perf_counter()
            save_due = config.save_minutes is not None and asked - saved_at >= 60 * config.save_minutes
            batch, agreed = _next_batch(run, batches, stop, save_due)
            if agreed.save or agreed.stop:
                run.save()
                saved_at = asked
            if agreed.stop:
                _leave(run, agreed.stop)
            outcome = take_step(config, run.state, run.spread, batch, run.total)
            progress.step += 1
            progress.images += sum(agreed.present[view] for view in config.views.images)
            progress.texts += sum(agreed.present[view] for view in config.views.texts)
            progress.seconds = began + time.perf_counter() - clock
            if isinstance(outcome, Skipped):
                skipped += 1
                _skip(run, outcome, skipped)
            else:
                skipped = 0
                _warn_of_idle(run, idle, batch, agreed, outcome)
                keys = {str(pair): agreed.present[pair.key] for pair in outcome.loss.terms}
                _tell(run, watch, keys, _metrics(run, batch, outcome, agreed, time.perf_counter() - asked))
            is_best = evaluator is not None and _is_due(run, config.evaluate_every) and _evaluate(run, evaluator)
            if is_best or _is_due(run, config.save_every):
                run.save(best=is_best)
                saved_at = time.perf_counter()


def _warn_of_idle(run: Run, idle: IdleSteps, batch: Batch, agreed: Agreement, outcome: Outcome) -> None:
    """Say that a step taught nothing. Raises DataError, on every process, when that lasts."""
    loss, step = outcome.loss, run.state.progress.step
    equal = {pair: share.item() for pair, share in loss.masked.items()}
    if run.config.objective.false_negatives == "off" and step <= _LOOKED_INTO:
        equal = same_shares(batch, list(equal))
    texts, images = (
        {view: agreed.present[view] for view in views} for views in (run.config.views.texts, run.config.views.images)
    )
    for warning in idle.look(step, StepNumbers(texts, equal, loss.loss.item(), outcome.grad_norm, images)):
        run.say(f"warning: {warning}")


def _sum_up_bad(run: Run) -> None:
    """How many images were left out, by reason."""
    reasons = Counter(run.state.progress.bad.values())
    for reason, count in reasons.most_common():
        run.say(f"left out in all: {count} images, {reason}")


def _is_due(run: Run, every: int | None) -> bool:
    """Whether something is done after this step that is done after every so many, and after the last."""
    step = run.state.progress.step
    return every is not None and (step % every == 0 or step == run.total)


def _next_batch(run: Run, batches: Iterator[Batch], stop: StopRequest, save_due: bool) -> tuple[Batch, Agreement]:
    """The batch of this step, and what all processes have to say before it."""
    asked = time.perf_counter()
    batch, error = None, None
    try:
        run.saver.check()
        batch = next(batches)
    except ManyviewError as found:
        error = found
    agreed = agree(
        run.world,
        stop=stop.signal,
        save=save_due,
        present={view: 0 if batch is None else int(batch.present[view].sum()) for view in run.config.views.names},
        waited_s=time.perf_counter() - asked,
        problems=() if batch is None else batch.problems,
        error=error,
    )
    assert batch is not None
    _count_bad(run, agreed.problems)
    return batch, agreed


def _count_bad(run: Run, problems: Sequence[tuple[str, str]]) -> None:
    """Note undecodable images, whose image views are absent from the loss; too many of them end the run."""
    progress = run.state.progress
    for name, reason in problems:
        if name not in progress.bad:
            progress.bad[name] = reason
            run.say(f"left out: the image of {name}, {reason}")
    images, a_pass = run.source.images, run.source.pass_length
    seen = min(int((progress.step + 1) * run.config.batch_size * images / a_pass), images)
    if seen >= _PATIENCE and len(progress.bad) > run.config.max_bad_share * seen:
        name, reason = next(iter(progress.bad.items()))
        raise DataError(
            f"{len(progress.bad)} of {seen} images cannot be decoded, allowed: max_bad_share="
            f"{run.config.max_bad_share:g}; the first is {name}: {reason}"
        )


def _skip(run: Run, skipped: Skipped, in_a_row: int) -> None:
    progress = run.state.progress
    progress.skipped += 1
    suspects = [name for told in run.world.tell(list(skipped.suspects)) for name in told]
    run.say(f"step {progress.step} skipped: {skipped.reason} (samples {', '.join(suspects)})")
    if in_a_row == _MAX_SKIPPED:
        newest = latest_checkpoint(run.folder.checkpoints)
        raise NonFiniteError(
            f"{in_a_row} steps in a row were skipped, the last because {skipped.reason} (samples "
            f"{', '.join(suspects)}): try a lower learning rate or precision=float32; the last good checkpoint is "
            f"{newest and newest.path}"
        )


def _evaluate(run: Run, evaluator: Evaluator) -> bool:
    """Ask the evaluator; whether this is the best so far."""
    state, progress = run.state, run.state.progress
    state.model.eval()
    if state.average is None:
        figures = evaluator(state.model, run.world)
    else:
        with state.average.in_use():
            figures = evaluator(state.model, run.world)
    training_mode(run.config.start, state.model)
    told = {"step": progress.step, "steps": run.total, "evaluation": dict(figures)}
    for sink in run.logs:
        sink(told)
    score = figures.get(SCORE)
    if score is None or (progress.best is not None and score <= progress.best):
        return False
    progress.best = score
    return True


def _leave(run: Run, stop: signal.Signals) -> None:
    run.world.together(run.saver.wait)
    message = (
        f"stopped at step {run.state.progress.step} of {run.total} and saved: "
        f"continue with the same command and --resume (run folder {run.folder.path})"
    )
    raise Interrupted(message) if stop == signal.SIGINT else Saved(message)


def _finish(run: Run, weigher: ViewWeigher | None) -> DualEncoder:
    """The model in the run folder, with the averaged weights where there are any."""
    run.world.together(run.saver.wait)
    model = run.state.model
    if run.config.keep_best and (best := run.world.first(lambda: best_checkpoint(run.folder.checkpoints))):
        run.state.restore(best, run.world)
    if run.state.average is not None:
        run.state.average.swap()
    whole = {name: of.full_tensor() if isinstance(of, DTensor) else of for name, of in model.state_dict().items()}

    def save() -> None:
        try:
            finished = DualEncoder(model.config, model.wordpiece)
            finished.load_state_dict(finished_weights(run.config, model.wordpiece, whole))
            if weigher is not None and not run.config.model.record.weights:
                run.say(weigh_views(finished, weigher, model.logit_scale.device))
            finished.save_pretrained(run.folder.model, _told(run))
        except OSError as error:
            raise ManyviewError(f"cannot write the model to {run.folder.model}: {error.strerror or error}") from error

    run.world.first(save)
    return DualEncoder.from_pretrained(run.folder.model).to(model.logit_scale.device)


def _tell(run: Run, watch: Watch, keys: Mapping[str, int], metrics: Metrics) -> None:
    for warning in watch.look(metrics, keys):
        run.say(f"warning: {warning}")
    for sink in run.sinks:
        sink(metrics)
    if metrics["step"] == 1 or _is_due(run, run.config.log_every):
        for sink in run.logs:
            sink(metrics)


def _metrics(run: Run, batch: Batch, outcome: Outcome, agreed: Agreement, took: float) -> Metrics:
    progress, loss = run.state.progress, outcome.loss
    return {
        "step": progress.step,
        "steps": run.total,
        "epoch": round(batch.epoch, 4),
        "time": round(progress.seconds, 3),
        "loss": loss.loss.item(),
        "terms": {str(pair): of.item() for pair, of in loss.terms.items()},
        "masked": {str(pair): of.item() for pair, of in loss.masked.items()},
        "scale": run.state.model.logit_scale.exp().item(),
        "learning_rate": run.state.optimizer.param_groups[0]["lr"],
        "grad_norm": outcome.grad_norm,
        "samples_per_second": run.config.batch_size / took,
        "data_wait": agreed.waited_s / took,
        "images": progress.images,
        "texts": progress.texts,
        "skipped": progress.skipped,
        "bad_images": len(progress.bad),
        "memory_mb": peak_memory_mb(),
        "memory_now_mb": memory_mb(),
    }


def _told(run: Run) -> str:
    """The card's section on training."""
    config = run.config
    pairs = ", ".join(f"{pair.query} → {pair.key} ({pair.weight:g})" for pair in config.objective.pairs)
    names = " and ".join(repr(corpus.manifest.name) for corpus in run.corpora)
    return (
        f"manyview {__version__}, recipe `{config.recipe}`, {run.state.progress.step:,} steps of {config.batch_size} "
        f"records of the corpus {names} (split {config.split!r}, {run.source.order.epoch_length:,} records), "
        f"seed {config.seed}.\nViews contrasted, with weights: {pairs}.\n"
        + "".join(f"{sentence}\n" for sentence in credited(config.start))
        + "The licenses of the images and texts are those that the records of the corpus name."
    )
