"""RunFolder: what a run leaves behind, and whether it may be written to."""

import json
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

import manyview
from manyview.config import load_config, save_config
from manyview.errors import ManyviewError, UsageError
from manyview.model.config import with_saved_defaults
from manyview.train.config import TrainConfig
from manyview.train.metrics import Metrics, read_metrics

__all__ = ["RunFolder"]

_PARTIAL_TOKENIZER = "tokenizer.json.partial"


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run; see the names below for what is in it."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration, which can be run again."""
        return self.path / "config.yaml"

    @property
    def tokenizer(self) -> Path:
        """The tokenizer, where the text tower has one."""
        return self.path / "tokenizer.json"

    @property
    def metrics(self) -> Path:
        """One JSON line per logged step."""
        return self.path / "metrics.jsonl"

    @property
    def log(self) -> Path:
        """The same for a person, and every warning."""
        return self.path / "train.log"

    @property
    def checkpoints(self) -> Path:
        """Where the run can continue from."""
        return self.path / "checkpoints"

    @property
    def features(self) -> Path:
        """What locked towers give of the corpus, with start.cache."""
        return self.path / "features"

    @property
    def model(self) -> Path:
        """The trained model, there once the run is finished."""
        return self.path / "model"

    @property
    def finished(self) -> bool:
        """Whether the run has come to its end."""
        return (self.model / "config.json").is_file()

    def last_metrics(self) -> Metrics:
        """The last line of the metrics. Raises UsageError for a run that has none."""
        rows = read_metrics(self.metrics)
        if not rows:
            raise UsageError(f"the run at {self.path} has no metrics yet")
        return rows[-1]

    def begin(self, config: TrainConfig, tokenizer: str | None = None, *, resume: bool, overwrite: bool) -> None:
        """Claim the folder for a run of `config`, whose tokenizer as JSON is kept for those who resume it.

        Raises UsageError for a folder with other things in it unless `overwrite`, and for `resume` with a
        configuration other than the run's own.
        """
        filled = self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))
        if filled and self.config.is_file() and resume:
            self._check_same(config)
            self._keep_tokenizer(tokenizer)
            return
        if filled and not overwrite:
            what = "holds a run: continue it with --resume" if self.config.is_file() else "is not empty"
            raise UsageError(f"{self.path} {what}, or replace it with --overwrite")
        try:
            if filled:
                self._empty()
            self.checkpoints.mkdir(parents=True, exist_ok=True)
            save_config(config, self.config)
            (self.path / "env.json").write_text(json.dumps(_environment(), indent=2) + "\n")
            self._keep_tokenizer(tokenizer)
        except OSError as error:
            raise ManyviewError(f"cannot write to {self.path}: {error.strerror or error}") from error

    def _keep_tokenizer(self, tokenizer: str | None) -> None:
        """Whole or not at all."""
        if tokenizer is not None and not self.tokenizer.is_file():
            partial = self.path / _PARTIAL_TOKENIZER
            partial.write_text(tokenizer, encoding="utf-8")
            partial.replace(self.tokenizer)

    def _check_same(self, config: TrainConfig) -> None:
        loaded = load_config(TrainConfig, self.config)
        saved = loaded.model_copy(update={"model": with_saved_defaults(loaded.model)}).model_dump(mode="json")
        given = config.model_dump(mode="json")
        for key in (key for key in _differing(saved, given) if key.partition(".")[0] not in config.resumable_keys):
            raise UsageError(
                f"the run at {self.path} has another {key} than asked for: "
                "resume it with its own configuration, or replace it with --overwrite"
            )

    def _empty(self) -> None:
        """Remove what a run leaves, and nothing else. Raises UsageError when more than that is there."""
        known = {
            "config.yaml",
            "env.json",
            "tokenizer.json",
            _PARTIAL_TOKENIZER,
            "train.log",
            "metrics.jsonl",
            "tb",
            "checkpoints",
            "features",
            "model",
            "index",
            "wandb",
        }
        if strange := sorted({p.name for p in self.path.iterdir()} - known - {"report.html"}):
            raise UsageError(f"{self.path} holds {strange[0]}, which is not of a run: choose another --out")
        for name in [*known, "report.html"]:
            _remove(self.path / name)


def _differing(saved: dict[str, Any], given: dict[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for key in saved.keys() | given.keys():
        a, b = saved.get(key), given.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            keys += _differing(a, b, f"{prefix}{key}.")
        elif a != b:
            keys.append(prefix + key)
    return sorted(keys)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        for child in path.iterdir():
            _remove(child)
        path.rmdir()
    else:
        path.unlink(missing_ok=True)


def _environment() -> dict[str, Any]:
    return {
        "manyview": manyview.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }
