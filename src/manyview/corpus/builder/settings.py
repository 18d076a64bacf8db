"""Settings: what a build is told on the command line, over what its file says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from manyview.config import load_config
from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.clicks import complete_log
from manyview.corpus.sources.config import completed_config
from manyview.corpus.sources.guess import explain_guess, guess_source
from manyview.errors import UsageError

__all__ = ["build_config", "guess_lines"]

_SETTING = re.compile(r"[a-z_]+(\.[\w-]+)*=", re.ASCII)


def build_config(given: Sequence[str], file: Path | None) -> BuildConfig:
    """The file, the settings (KEY=VALUE) over it, and behind its sources one for each path, guessed by looking at it.

    All that was guessed is written out in what comes back. Raises UsageError.
    """
    settings = [one for one in given if _SETTING.match(one)]
    paths = _paths(given)
    if not paths and file is None and not any(one.startswith("sources") for one in settings):
        raise UsageError("a build needs sources: paths of tables, folders, tars, ..., or a file by -c")
    guessed = tuple(guess_source(path) for path in paths)
    config = load_config(BuildConfig, file, settings)
    sources = tuple(completed_config(source) for source in config.sources) + guessed
    if not sources:
        raise UsageError("a build needs at least one source: give a path, or `sources` in the file")
    return config.model_copy(update={"sources": sources, "clicks": tuple(map(complete_log, config.clicks))})


def guess_lines(given: Sequence[str], config: BuildConfig) -> Iterator[str]:
    """Why each path was taken for what it was, where it holds files that could be taken for something else."""
    paths = _paths(given)
    for path, source in zip(paths, config.sources[len(config.sources) - len(paths) :], strict=True):
        if line := explain_guess(path, source):
            yield line


def _paths(given: Sequence[str]) -> list[str]:
    return [one for one in given if not _SETTING.match(one)]
