"""A report in words."""

from __future__ import annotations

from manyview.corpus.fetch import FetchReport


def test_a_report_reads_as_a_sentence() -> None:
    report = FetchReport({"http status 404": 1200, "fetched": 34, "host: unknown": 1}, 5, 2_500_000, 12.34)
    told = "34 fetched (2.5 MB), 1,201 failed (http status 404 1,200, host: unknown 1), 5 known before, 12.3 s"
    assert str(report) == told
