"""Run: the query views of a log without a build, alone or beside the rows of a table."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from manyview.config import load_config
from manyview.corpus.clicks.gather import check_images, gather
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.stages import in_processes
from manyview.corpus.clicks.views import query_views
from manyview.errors import ManyviewError

__all__ = ["run"]


def run(
    log: str,
    out: str | Path,
    beside: str | None = None,
    *,
    config: str | Path | None = None,
    overrides: Sequence[str] = (),
    processes: int | None = None,
) -> dict[str, Any]:
    """Write the folder `out`, and return what was counted.

    Its Parquet files are the query views; with `beside`, a glob of Parquet files with a column `id`, they are the rows
    of those, each with its views in the column `views`. `processes` is by default one a core. A folder beside `out`
    holds what is under way; the same call uses again what a killed one has left there. Raises UsageError for a log, a
    table or a folder that cannot be, ManyviewError when the disk refuses.
    """
    out = Path(out)
    settings = load_config(ClickLog, config, [f"path={json.dumps(log)}", *overrides])
    if beside is not None:
        check_images(beside)  # before the hours that a log may take
    work = out.parent / f".{out.name}.under-way"
    try:
        with in_processes(processes or os.cpu_count() or 1) as run_units:
            found = query_views(settings, out if beside is None else work / "views", work, run_units)
            counts = vars(found) | {"skipped": dict(found.skipped)}
            if beside is not None:
                gathered = gather([str(work / "views" / "*.parquet")], beside, out, work, run_units)
                counts["beside"] = asdict(gathered)
    except OSError as error:
        raise ManyviewError(f"cannot write {out}: {error.strerror or error}") from error
    shutil.rmtree(work, ignore_errors=True)
    return counts
