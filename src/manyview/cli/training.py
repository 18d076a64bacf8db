"""Training: what the verbs that train make of their settings."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from manyview.cli.output import print_message, print_table, write
from manyview.errors import UsageError

if TYPE_CHECKING:
    from manyview.train import Evaluator, TrainConfig, ViewWeigher

__all__ = ["evaluator", "print_dry_run", "train_config", "weigher"]


def train_config(recipe: str, corpus: str | None, config: Path | None, overrides: list[str] | None) -> "TrainConfig":
    """The recipe, then the file, then the overrides, then --corpus."""
    from manyview.config import load_config
    from manyview.train import TrainConfig
    from manyview.train import recipe as named

    told = [*(overrides or []), *([f"corpus={json.dumps(corpus)}"] if corpus else [])]
    return load_config(TrainConfig, config, told, defaults=named(recipe))


def evaluator(settings: "TrainConfig") -> "Evaluator | None":
    """Recall on the split that is held out for it, by all processes."""
    if settings.evaluate_every is None:
        return None
    from manyview.corpus import Corpus
    from manyview.evaluate import check_askable, figures

    split = settings.evaluate_split
    corpora = {path: Corpus.open(path) for path in settings.corpora}
    held_out = {path: corpus for path, corpus in corpora.items() if corpus.splits.get(split)}
    if not held_out:
        there = sorted({name for corpus in corpora.values() for name in corpus.splits})
        raise UsageError(f"evaluate_split={split} is in no corpus: there are the splits {there}")
    score = settings.evaluate_score
    check_askable(held_out, split, score)
    return lambda model, world: figures(model, held_out, split, world, score)


def weigher(settings: "TrainConfig") -> "ViewWeigher":
    """Record weights, learned on the split that is held out for it."""
    from manyview.corpus import Corpus
    from manyview.evaluate import record_weigher

    return record_weigher({path: Corpus.open(path) for path in settings.corpora}, settings.evaluate_split)


def print_dry_run(settings: "TrainConfig", out: Path, processes: int) -> None:
    """What a run would be, as a table, and its first batch as a page beside the folder it would write."""
    from rich.table import Table

    from manyview.data.contact_sheet import render_sheet, sheet_rows
    from manyview.train import dry_run

    told = dry_run(settings, processes)
    evaluator(settings)  # which refuses a split that it could not judge
    for warning in told.warnings:
        print_message(f"warning: {warning}")
    table = Table(box=None, show_header=False)
    for name, count in told.parameters.items():
        table.add_row(f"parameters, {name}", f"{count:,}")
    table.add_row("records", f"{told.records:,}")
    table.add_row("steps", f"{told.steps:,} of {settings.batch_size:,} records ({told.epochs:.1f} epochs)")
    table.add_row("weights, gradients, optimizer", f"{told.fixed_mb:,.0f} MB a process")
    table.add_row("activations", f"{told.activations_mb:.2f} MB a record, in float32")
    table.add_row(f"memory of each of {told.processes}", f"{told.process_mb:,.0f} MB and what torch itself takes")
    page = out.with_name(f"{out.name}.first-batch.html")
    about = f"Step 1 of {told.steps:,}, seed {settings.seed}, {len(told.batch.ids)} records."
    write(page, render_sheet(list(sheet_rows(told.batch)), title=f"What {settings.recipe} sees first", about=about))
    table.add_row("first batch", str(page))
    print_table(table)
