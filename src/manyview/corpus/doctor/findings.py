"""Findings: measures beyond their limits, each with what to change."""

from __future__ import annotations

from collections.abc import Iterable

from manyview.corpus.doctor.checks_of_images import IMAGE_CHECKS
from manyview.corpus.doctor.checks_of_records import RECORD_CHECKS
from manyview.corpus.doctor.checks_of_texts import TEXT_CHECKS
from manyview.corpus.doctor.measures import Examination, Finding, Severity

__all__ = ["SEVERITIES", "findings", "ordered", "verdict"]

SEVERITIES: tuple[Severity, ...] = ("fail", "warn", "note")


def findings(examination: Examination) -> list[Finding]:
    """The worst ones first."""
    return ordered(finding for check in (*RECORD_CHECKS, *IMAGE_CHECKS, *TEXT_CHECKS) for finding in check(examination))


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """The worst ones first."""
    return sorted(found, key=lambda finding: SEVERITIES.index(finding.severity))


def verdict(examination: Examination) -> str:
    """One sentence for the top of the page and the end of the log."""
    counts = {level: sum(f.severity == level for f in examination.findings) for level in SEVERITIES}
    warned = f"{counts['warn']} warning{'s' * (counts['warn'] != 1)}"
    if counts["fail"]:
        checks = ", ".join(dict.fromkeys(f.check for f in examination.findings if f.severity == "fail"))
        return f"Do not train on this yet: {checks}."
    if counts["warn"]:
        return f"Fit to train on, with {warned} to read first."
    return "Fit to train on."
