"""Report: what was trained, what it learned and how sure that is, on one self-contained page."""

from manyview.evaluate.report.data import Command, Compute, CorpusSource, Recipe, ReportData
from manyview.evaluate.report.render import render_report

__all__ = ["Command", "Compute", "CorpusSource", "Recipe", "ReportData", "render_report"]
