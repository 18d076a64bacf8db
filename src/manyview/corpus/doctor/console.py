"""Console: the findings for a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.table import Table
from rich.text import Text

from manyview.corpus.doctor.findings import verdict
from manyview.corpus.doctor.measures import Examination
from manyview.corpus.doctor.spoken import percent

__all__ = ["summary_for_terminal"]

_STYLES = {"fail": "bold red", "warn": "yellow", "note": "dim"}


def summary_for_terminal(examination: Examination) -> Group:
    """Counts, coverage of each kind, the findings and the verdict; texts of the corpus are never read as markup."""
    splits = ", ".join(f"{split.name} {split.records:,}" for split in examination.splits)
    texts_only = f", {examination.without_image:,} of texts only" if examination.without_image else ""
    head = _text(f"{examination.corpus}: {examination.records:,} records ({splits}){texts_only}")
    style = "bold red" if examination.failed else "bold"
    return Group(head, _kinds(examination), _findings(examination), Text(verdict(examination), style))


def _kinds(examination: Examination) -> Table:
    table = Table(box=None, header_style="bold")
    for name in ("kind", "records", "different texts", "tokens, median", "95 %"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    for kind in examination.kinds:
        tokens = (f"{kind.tokens.median:g}", f"{kind.tokens.p95:g}") if kind.tokens else ("–", "–")
        coverage = percent(kind.records / (examination.records or 1))
        table.add_row(_text(kind.name or "(no kind)"), coverage, f"{kind.different:,}", *tokens)
    return table


def _findings(examination: Examination) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 1))
    for finding in examination.findings:
        said = Text.assemble(_text(finding.what, _STYLES[finding.severity]), "\n", _text(finding.change))
        table.add_row(Text(finding.severity, _STYLES[finding.severity]), said)
    return table


def _text(text: str, style: str = "") -> Text:
    """Without control characters: a terminal would obey them."""
    return Text("".join(character if character.isprintable() else " " for character in text), style)
