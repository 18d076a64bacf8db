from dataclasses import replace

from manyview.evaluate.comparison import ComparisonRow
from manyview.evaluate.record_retrieval import ANSWERS, RecordMeasures, RecordTree
from manyview.evaluate.report import ReportData
from manyview.evaluate.report.records import record_tables, record_verdict

from .conftest import difference, measures

KIND = "tags, new words"


def records(recall: float) -> RecordTree:
    def answers(best: float) -> dict[str, RecordMeasures]:
        return {name: RecordMeasures(**measures(best / (1 + i)), mrr=0.2) for i, name in enumerate(ANSWERS)}

    return {"emoji": {"title": answers(recall + 20), KIND: answers(recall)}, "clip art": {KIND: answers(recall - 10)}}


def compared(low: float, value: float, high: float) -> tuple[ComparisonRow, ...]:
    rows = (difference(source, KIND, low, value, high) for source in ("mean of sources", "emoji", "clip art"))
    return tuple(ComparisonRow(**{**row, "direction": "record"}) for row in rows)  # type: ignore[typeddict-item]


def with_records(page: ReportData, low: float, value: float, high: float) -> ReportData:
    one, many = page.recipes
    return replace(
        page,
        recipes=(replace(one, records=records(40.0)), replace(many, records=records(40.0 + value))),
        records_compared={one.name: compared(low, value, high)},
    )


def test_a_page_without_records_says_nothing_of_them(page: ReportData) -> None:
    assert record_verdict(page) is None
    assert record_tables(page) == []


def test_the_sentence_names_the_mean_of_the_sources_of_each(page: ReportData) -> None:
    found = record_verdict(with_records(page, 5.0, 10.0, 15.0))
    assert found is not None
    assert "Many views finds 45% of the records" in found.sentence
    assert "One text 35%" in found.sentence


def test_whoever_is_ahead_is_named_and_only_past_doubt(page: ReportData) -> None:
    def evidence(low: float, value: float, high: float) -> str:
        found = record_verdict(with_records(page, low, value, high))
        assert found is not None
        return found.evidence[0]

    assert evidence(5.0, 10.0, 15.0).startswith("Many views finds more than One text: 10.0 points")
    assert evidence(-15.0, -10.0, -5.0).startswith("One text finds more than Many views: 10.0 points")
    assert "may be chance" in evidence(-2.0, 1.0, 4.0)


def test_tables_begin_with_new_words_and_mark_the_winner(page: ReportData) -> None:
    tables = record_tables(with_records(page, 5.0, 10.0, 15.0))
    assert [[row.kind for row in table.rows] for table in tables] == [[KIND, "title"], [KIND]]
    first = tables[0].rows[0]
    assert first.best is not None
    assert first.best.name == "many"
    assert len(first.controls) == len(ANSWERS) - 1
    behind = record_tables(with_records(page, -15.0, -10.0, -5.0))[0].rows[0]
    assert behind.best is not None
    assert behind.best.name == "one"
    assert record_tables(with_records(page, -2.0, 1.0, 4.0))[0].rows[0].best is None
