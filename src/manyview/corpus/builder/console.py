"""Console: what a build says while it works and when it is done."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from manyview.corpus.builder.config import BuildConfig
from manyview.corpus.builder.identity import meaning_of_equal_ids
from manyview.corpus.builder.labels import labels
from manyview.corpus.builder.report import BuildReport
from manyview.terminal import literal_console

__all__ = ["BuildProgress", "report_table", "source_lines"]


class BuildProgress:
    """A bar for each step on stderr; where nobody watches, a line when a step is done."""

    def __init__(self) -> None:
        self.console = literal_console(stderr=True)
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bars = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self._steps: dict[str, TaskID] = {}

    def __enter__(self) -> BuildProgress:
        self._bars.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bars.stop()

    def __call__(self, what: str, done: int, of: int) -> None:
        """Called by the build."""
        if what not in self._steps:
            self._steps[what] = self._bars.add_task(what, total=of)
        self._bars.update(self._steps[what], completed=done, total=of)
        if done == of and not self.console.is_terminal:
            self.console.print(f"{what}: {done:,} of {of:,}")


def source_lines(config: BuildConfig) -> Iterator[str]:
    """What is taken from where."""
    for label, source in zip(labels(config.sources), config.sources, strict=True):
        yield f"{label} ({source.type}): {source.describe()}"
    for log in config.clicks:
        yield f"{log.name} (clicks): {', '.join(f'{role} <- {name}' for role, name in log.columns.items())}"
    if said := meaning_of_equal_ids(config.sources, config.equal_ids):
        yield f"ids: {said}"


def report_table(report: BuildReport) -> Table:
    """Counts of what is in, then of what is not and why."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right")
    for split, records in report.records.items():
        table.add_row(f"records, {split}", f"{records:,}")
    if report.texts_only:
        table.add_row("records of texts only, among these", f"{report.texts_only:,}")
    for kind, texts in report.texts.items():
        table.add_row(f"texts, {kind}", f"{texts:,}")
    if report.ids_apart:
        table.add_row("ids of different images in several sources, now SOURCE/ID", f"{report.ids_apart:,}")
    for label, counts in report.skipped.items():
        for reason, count in counts.items():
            table.add_row(f"left out of {label}: {reason}", f"{count:,}")
    return table
