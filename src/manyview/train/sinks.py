"""Sinks outside the run folder's own files: TensorBoard, and Weights & Biases."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from manyview.errors import UsageError
from manyview.train.metrics import Metrics, Sink

__all__ = ["check_wandb", "tensorboard_sink", "wandb_sink"]

_PLACE = ("step", "steps")


def tensorboard_sink(folder: Path, step: int) -> Sink | None:
    """Writes every number under `folder`, from `step` on anew; None where tensorboard is not installed."""
    if find_spec("tensorboard") is None:
        return None
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  1 s

    writer = SummaryWriter(str(folder), purge_step=step + 1)

    def write(metrics: Metrics) -> None:
        for name, value in _numbers(metrics):
            writer.add_scalar(name, value, metrics["step"])
        if "evaluation" in metrics or metrics["step"] == metrics["steps"]:
            writer.flush()

    return write


def check_wandb(project: str) -> None:
    """Raises UsageError where the package is not installed."""
    if find_spec("wandb") is None:
        raise UsageError(f"wandb={project} needs the package wandb, which is not installed: pip install wandb")


def wandb_sink(project: str, folder: Path, config: Mapping[str, Any]) -> Sink:
    """Logs to a run of `project`, which a resumed training continues."""
    import wandb  # noqa: PLC0415  an option

    from manyview.corpus.fingerprint import identity  # noqa: PLC0415

    name = f"{identity(str(folder.resolve()).encode()) % 2**40:010x}"
    run = wandb.init(project=project, id=name, name=folder.name, dir=str(folder), config=dict(config), resume="allow")
    return lambda metrics: run.log(dict(_numbers(metrics)), step=metrics["step"])


def _numbers(metrics: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Every number by its path, as in terms/image->title."""
    for name, value in metrics.items():
        if isinstance(value, Mapping):
            yield from _numbers(value, f"{prefix}{name}/")
        elif not isinstance(value, str) and name not in _PLACE:
            yield prefix + name, float(value)
