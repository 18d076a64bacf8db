"""Weights: what identifies a tagger's model and settings."""

from __future__ import annotations

import json
import pickle
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from manyview.config import Config, load_config
from manyview.errors import UsageError
from manyview.tags.config import TaggerConfig

__all__ = ["model_file", "options_of", "reading", "version_of", "weights_digest"]

OptionsT = TypeVar("OptionsT", bound=Config)
_PIECE_BYTES = 1 << 20


def version_of(name: str, weights: str, settings: Mapping[str, Any]) -> str:
    """A short name of weights and settings: equal when both are."""
    told = json.dumps({"weights": weights, **settings}, sort_keys=True, ensure_ascii=False, default=str)
    return f"{name}-{blake2b(told.encode(), digest_size=8).hexdigest()}"


def weights_digest(model: str) -> str:
    """Digest of a file's content, or of all files in a folder with their names; a hub id is itself."""
    root = Path(model)
    if not root.exists():
        return f"hub:{model}"
    digest = blake2b(digest_size=16)
    for file in [root] if root.is_file() else sorted(of for of in root.rglob("*") if of.is_file()):
        digest.update(f"{file.relative_to(root).as_posix()}\0{file.stat().st_size}\0".encode())
        for piece in _pieces(file):
            digest.update(piece)
    return digest.hexdigest()


def model_file(config: TaggerConfig, *, example: str) -> Path:
    """The file or folder that `model` names. Raises UsageError where there is none."""
    if config.model is None:
        raise UsageError(f"the tagger {config.name} needs a model: give {example}")
    if not Path(config.model).exists():
        raise UsageError(f"no model at {config.model}: the tagger {config.name} takes {example}")
    return Path(config.model)


def options_of(cls: type[OptionsT], config: TaggerConfig) -> OptionsT:
    """A tagger's own options, checked. Raises UsageError."""
    try:
        return load_config(cls, defaults=config.options)
    except UsageError as error:
        raise UsageError(f"options of the tagger {config.name}: {error}") from None


@contextmanager
def reading(config: TaggerConfig) -> Iterator[None]:
    """What libraries raise for a model that they cannot load, as UsageError in one sentence."""
    try:
        yield
    except (OSError, ValueError, RuntimeError, KeyError, ImportError, pickle.UnpicklingError) as error:
        said = " ".join(str(error).split())[:300]
        raise UsageError(f"the tagger {config.name} cannot load {config.model}: {said}") from error


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_PIECE_BYTES):
            yield piece
