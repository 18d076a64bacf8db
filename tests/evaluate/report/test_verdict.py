from dataclasses import replace

from manyview.evaluate.report import ReportData
from manyview.evaluate.report.verdict import Tally, verdict

from .conftest import difference


def test_the_candidate_wins_when_the_interval_lies_above_zero(page: ReportData) -> None:
    found = verdict(page)
    assert found is not None
    assert found.winner == "candidate"
    assert found.sentence == (
        "Many views wins: it puts the right picture among the first ten for 49.0% of held-out queries, "
        "One text for 40.0%."
    )
    assert found.evidence == "+9.0 points, 95% interval +4.0 to +14.0"


def test_the_baseline_wins_when_it_lies_below(swapped: ReportData) -> None:
    found = verdict(swapped)
    assert found is not None
    assert found.winner == "baseline"
    assert found.sentence == (
        "One text wins: it puts the right picture among the first ten for 40.0% of held-out queries, "
        "Many views for 31.0%."
    )


def test_nobody_wins_when_it_holds_zero(page: ReportData) -> None:
    found = verdict(replace(page, overall=(difference("mean of sources", "all", -1.0, 2.0, 5.0),)))
    assert found is not None
    assert found.winner == "neither"
    assert found.sentence.startswith("No winner: Many views puts")
    assert found.sentence.endswith("a difference that may be chance.")


def test_all_cells_with_one_image_a_concept_are_counted_whoever_they_speak_for(page: ReportData) -> None:
    found = verdict(page)
    assert found is not None
    assert found.tally == Tally(better=1, worse=0, even=1)
    assert found.tally.cells == 2


def test_without_a_mean_the_first_comparison_of_the_kind_decides(page: ReportData) -> None:
    found = verdict(replace(page, overall=()))
    assert found is not None
    assert found.row["source"] == "emoji"


def test_without_a_comparison_there_is_no_verdict(page: ReportData) -> None:
    assert verdict(replace(page, overall=(), comparison=())) is None
    assert verdict(replace(page, headline_kind="caption")) is None
