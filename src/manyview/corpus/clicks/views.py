"""Views: from a click log to a table of query views, in stages that each fit in memory."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from manyview.corpus.clicks.collect import FIXED, collect
from manyview.corpus.clicks.complete import complete_log
from manyview.corpus.clicks.examination import Floats, Sample, examination, prior_strength
from manyview.corpus.clicks.log import ClickLog
from manyview.corpus.clicks.merge import LABELS, merge
from manyview.corpus.clicks.reading import Piece, log_files, pieces, read
from manyview.corpus.clicks.robots import census, find_robots, write_robots
from manyview.corpus.clicks.spill import read_whole
from manyview.corpus.clicks.stages import Result, Run, in_turn, stage
from manyview.corpus.clicks.times import check_times
from manyview.corpus.clicks.weigh import boundaries, finish, weigh
from manyview.corpus.location import locate
from manyview.errors import UsageError

__all__ = ["ClickReport", "query_views"]

SAMPLE_ROWS = 1 << 20
_PART_BYTES = 16 << 20  # of the files as they stand; a part takes about ten times that in memory
_MAX_PARTS = 4096


@dataclass(frozen=True)
class ClickReport:
    """What a log came to.

    `skipped` counts rows, queries, pairs of a query and an image, and files, each by reason; what went as a
    query is not counted again as pairs. `examination` is the click rate of an average pair by position, for
    positions that were seen, and `prior_clicks` the strength of the prior that was used.
    """

    rows: int = 0
    queries: int = 0
    pairs: int = 0
    views: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examination: dict[int, float] = field(default_factory=dict)
    prior_clicks: float = 0.0


def query_views(
    log: ClickLog,
    out: str | Path,
    work: str | Path,
    run: Run = in_turn,
    *,
    parts: int | None = None,
    sample_rows: int = SAMPLE_ROWS,
) -> ClickReport:
    """Write views-*.parquet, together sorted by id and, within an id, from the best query down.

    `work` holds what is under way: it may be as large as the log, is used again when the same call was killed,
    and is empty afterwards. The result depends neither on the order of rows or files nor on `parts`.
    Raises UsageError for a log that is not there or lacks a column, and for an `out` that holds something else.
    """
    out, work = Path(out), Path(work)
    if out.exists() and any(file for file in out.iterdir() if not file.name.startswith("views-")):
        raise UsageError(f"{out} holds other files, allowed: a new or empty folder for the query views")
    skipped = Counter[str]()
    log = complete_log(log)
    found = pieces(log, skipped)
    _check_times(log, found)
    parts = parts or _parts(log)
    folder = work / _fingerprint(log, parts, sample_rows)
    finished = folder / "views"
    finished.mkdir(parents=True, exist_ok=True)
    report = _Build(log, found, folder, parts, run, skipped).views(sample_rows)
    shutil.rmtree(out, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(finished, out)
    shutil.rmtree(folder)
    return report


def _check_times(log: ClickLog, found: Sequence[Piece]) -> None:
    """Look at the first rows of each form of file. Raises UsageError."""
    if log.time is None:
        return
    for piece in {piece.format: piece for piece in reversed(found)}.values():
        batch = next(read(piece, log, {"time": log.time}, Counter()), None)
        if batch is not None:
            check_times(batch.column("time"), log.time, piece.file)


def _parts(log: ClickLog) -> int:
    """A power of two that leaves each part about 16 MB of the log's files."""
    total = sum(locate(file).stat().st_size for file in log_files(log))
    return min(1 << max(0, -(-total // _PART_BYTES) - 1).bit_length(), _MAX_PARTS)


def _fingerprint(log: ClickLog, parts: int, sample_rows: int) -> str:
    """Changes with the config and with the files."""
    stats = [(file, locate(file).stat()) for file in log_files(log)]
    files = [(file, of.st_size, getattr(of, "st_mtime", 0)) for file, of in stats]
    return hashlib.sha256(repr((log.model_dump_json(), files, parts, sample_rows)).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Build:
    log: ClickLog
    pieces: Sequence[Piece]
    folder: Path
    parts: int
    run: Run
    skipped: Counter[str]

    def views(self, sample_rows: int) -> ClickReport:
        first, newest, log = self._look_at_users()
        rows, names = self._collect(newest)
        hours = newest // 3600 - first // 3600 + 1
        limit = 2**32  # of the hashes that go into the sample: a share of the rows, or the parts would write it all
        while rows * limit > sample_rows << 32:
            limit //= 2
        merged = [(log, self.folder, names, part, hours, limit, sample_rows) for part in range(self.parts)]
        results = list(self.run(stage("merge", self.folder, merge, merged)))
        self._count(results)
        unit = FIXED if self.log.half_life_days is not None else 1
        shown, clicked = (_total(results, name) / unit for name in ("shown", "clicked"))
        sample, ids = _sample(
            [self.folder / f"sample-{part:06d}.arrow" for part in range(self.parts)], results, unit, sample_rows
        )
        theta = examination(self.log, shown, clicked, sample)
        strength = self.log.prior_clicks or prior_strength(sample, theta)
        return ClickReport(
            rows=rows,
            queries=sum(result["queries"] for result in results),
            pairs=sum(result["pairs"] for result in results),
            views=self._write(theta, strength, unit, boundaries(ids, self.parts)),
            skipped=+self.skipped,
            examination={p - 1: float(theta[p]) for p in np.flatnonzero(shown).tolist() if p},
            prior_clicks=strength,
        )

    def _look_at_users(self) -> tuple[int, int, ClickLog]:
        """The first and last second of the log, and its config by its times; robots.arrow is left in the folder."""
        if not (self.log.needs_time_span or self.log.watches_users):
            return 0, 0, self.log
        looks = [(self.log, piece, self.folder, i, self.parts) for i, piece in enumerate(self.pieces)]
        results = list(self.run(stage("census", self.folder, census, looks)))
        log = self.log.of_days() if all(result["only_days"] for result in results) else self.log
        if log.watches_users:
            spills = [self.folder / name for result in results for name in result["spills"]]
            units = stage("robots", self.folder, find_robots, [(log, spills, part) for part in range(self.parts)])
            write_robots(self.folder / "robots.arrow", list(self.run(units)))
        first = [result["first"] for result in results if result["first"] is not None]
        last = [result["last"] for result in results if result["last"] is not None]
        return min(first, default=0), max(last, default=0), log

    def _collect(self, newest: int) -> tuple[int, list[str]]:
        arguments = [(self.log, piece, self.folder, i, self.parts, newest) for i, piece in enumerate(self.pieces)]
        results = list(self.run(stage("collect", self.folder, collect, arguments)))
        self._count(results)
        return sum(result["rows"] for result in results), [name for result in results for name in result["spills"]]

    def _write(self, theta: Floats, strength: float, unit: int, cuts: list[str]) -> int:
        curve = theta.tolist()
        arguments = [(self.log, self.folder, part, unit, curve, strength, cuts) for part in range(self.parts)]
        list(self.run(stage("weigh", self.folder, weigh, arguments)))
        spills = [self.folder / f"weighed-{part:06d}.arrow" for part in range(self.parts)]
        ranges = [(self.log, spills, part, self.folder / "views") for part in range(len(cuts) + 1)]
        results = list(self.run(stage("finish", self.folder, finish, ranges)))
        self._count(results)
        return sum(result["views"] for result in results)

    def _count(self, results: Iterable[Result]) -> None:
        for result in results:
            self.skipped.update(result["skipped"])


def _total(results: Sequence[Result], name: str) -> Floats:
    """Sums of whole numbers, exact in any order."""
    return np.array([sum(result[name][label] for result in results) for label in range(LABELS)], np.float64)


def _sample(paths: Sequence[Path], results: Sequence[Result], unit: int, sample_rows: int) -> tuple[Sample, list[str]]:
    """The samples of all parts in one, as if there had been one part; and the ids in it."""
    limit = min(result["limit"] for result in results)
    kept, pairs = pa.table({}), 0
    for path in paths:
        table = read_whole(path)
        pair = pa.array(table["pair"].to_numpy() + pairs)
        pairs += int(table["pair"].to_numpy().max(initial=-1)) + 1
        table = table.set_column(table.schema.get_field_index("pair"), "pair", pair)
        kept = pa.concat_tables([kept, table]) if kept.num_rows else table
        while np.count_nonzero(kept["hash"].to_numpy() < limit) > sample_rows:
            limit //= 2
        kept = kept.filter(pa.array(kept["hash"].to_numpy() < limit))
    order = np.argsort(kept["hash"].to_numpy(), kind="stable")
    kept = kept.take(pa.array(order))
    changed = np.diff(kept["pair"].to_numpy(), prepend=-1) != 0
    pair = np.cumsum(changed)
    shown, clicked = (kept[name].to_numpy() / unit for name in ("shown", "clicked"))
    return Sample(pair, kept["position"].to_numpy(), shown, clicked), kept["id"].to_pylist()
