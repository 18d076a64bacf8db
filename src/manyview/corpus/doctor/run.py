"""Run: the whole of `manyview doctor`, from the arguments to the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Group

from manyview.config import load_config
from manyview.corpus.corpus import Corpus
from manyview.corpus.doctor.console import summary_for_terminal
from manyview.corpus.doctor.examine import examine
from manyview.corpus.doctor.findings import ordered
from manyview.corpus.doctor.limits import Limits
from manyview.corpus.doctor.looks import FindNear
from manyview.corpus.doctor.measures import Examination
from manyview.corpus.doctor.page import render_page
from manyview.corpus.doctor.recipes import RecipeProblems, recipe_findings
from manyview.corpus.doctor.rows import Rows
from manyview.corpus.doctor.thumbnails import thumbnails
from manyview.corpus.doctor.tokens import tokenizer_file
from manyview.errors import ExitCode

__all__ = ["Diagnosis", "diagnose"]


@dataclass(frozen=True)
class Diagnosis:
    """An examined corpus, ready to be shown."""

    corpus: Corpus
    examination: Examination

    @property
    def exit_code(self) -> ExitCode:
        """DATA when a check failed."""
        return ExitCode.DATA if self.examination.failed else ExitCode.OK

    def json(self) -> str:
        return self.examination.to_json().decode()

    def text(self) -> Group:
        """For a terminal."""
        return summary_for_terminal(self.examination)

    def page(self) -> str:
        """One HTML page with the pictures of the examples."""
        wanted = {example.row for examples in self.examination.examples for example in examples.records}
        pictures = thumbnails(Rows.of(self.corpus), wanted, self.examination.limits.max_pixels)
        return render_page(self.examination, pictures)


def diagnose(
    corpus: str | Path,
    *,
    config: str | Path | None = None,
    overrides: Sequence[str] = (),
    tokenizer: str | Path | None = None,
    find_near: FindNear | None = None,
    recipe_problems: RecipeProblems | None = None,
) -> Diagnosis:
    """Examine the corpus at a path, with the limits of a YAML file and key=value overrides.

    With `recipe_problems`, says which recipes find texts for all their views.

    Raises UsageError for what is no corpus, a wrong key or a missing tokenizer; DataError for a damaged manifest.
    """
    limits = load_config(Limits, config, overrides)
    tokens = tokenizer_file(Path(tokenizer)) if tokenizer else None
    opened = Corpus.open(corpus)
    examination = examine(opened, limits, tokenizer=tokens, find_near=find_near)
    if recipe_problems is not None and not examination.unreadable:
        more = recipe_findings(examination, recipe_problems)
        examination = replace(examination, findings=tuple(ordered([*examination.findings, *more])))
    return Diagnosis(opened, examination)
