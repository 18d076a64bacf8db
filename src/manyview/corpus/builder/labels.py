"""Labels: what the sources of a build are called in records and reports."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from manyview.corpus.sources.config import AnySource
from manyview.terminal import encodable

__all__ = ["labels"]

_PATTERN = re.compile(r"[*?\[{]")


def labels(sources: Iterable[AnySource]) -> list[str]:
    """The last part of each source's path that no wildcard begins, numbered where it repeats."""
    names = [_label(source) for source in sources]
    total, so_far = Counter(names), Counter[str]()
    numbered = []
    for name in names:
        so_far[name] += 1
        numbered.append(name if total[name] == 1 else f"{name}-{so_far[name]}")
    return numbered


def _label(source: AnySource) -> str:
    paths: list[Any] = [getattr(source, name, None) for name in ("path", "images", "views")]
    first = next((path if isinstance(path, str) else path[0] for path in paths if path), "source")
    folder, _, last = first.rstrip("/").rpartition("/")
    is_named = Path(first).exists()  # brackets of a file that is there are its name
    name = (last if is_named else _PATTERN.split(last)[0]).partition(".")[0].rstrip("-_")
    folders = (part for part in reversed(folder.split("/")) if part and not _PATTERN.search(part))
    return encodable(name or next(folders, "") or source.type)
