from dataclasses import replace

from manyview.evaluate.report import ReportData
from manyview.evaluate.report.tables import difference_rows, kind_label, source_tables


def test_a_source_shows_text_to_image_and_folds_the_rest(page: ReportData) -> None:
    [source] = source_tables(page)
    assert (source.source, source.gallery) == ("emoji", 100)
    assert [row.kind for row in source.main.rows] == ["all", "title.zh"]
    assert [table.title for table in source.more] == [
        "Image → text",
        "Text → image, every image",
        "Image → text, every image",
    ]


def test_only_a_difference_whose_interval_excludes_zero_is_highlighted_and_on_the_better_side(
    page: ReportData,
) -> None:
    [source] = source_tables(page)
    decided, undecided = source.main.rows
    assert [recall and recall.best for recall in decided.figures[0]] == [False, True]
    assert [recall and recall.best for recall in undecided.figures[0]] == [False, False]
    every = source.more[1].rows[0]
    assert [recall and recall.best for recall in every.figures[0]] == [True, False]
    uncompared = [recall for recalls in decided.figures[1:] for recall in recalls]
    assert not any(recall and recall.best for recall in uncompared)


def test_recalls_stand_in_the_order_of_the_recipes_and_the_interval_at_ten_only(page: ReportData) -> None:
    [source] = source_tables(page)
    at_ten, at_five, at_one = source.main.rows[0].figures
    assert [recall and recall.value for recall in at_ten] == [40.0, 50.0]
    assert [recall and recall.interval for recall in at_ten] == [(36.0, 44.0), (46.0, 54.0)]
    assert [recall and recall.interval for recall in (*at_five, *at_one)] == [None] * 4


def test_what_a_recipe_was_not_evaluated_on_is_absent(page: ReportData) -> None:
    blind = replace(page.baseline, results={})
    [source] = source_tables(replace(page, recipes=(blind, page.candidate)))
    assert [recall is None for recall in source.main.rows[0].figures[0]] == [True, False]
    assert source.main.rows[0].medians == (None, 9.0)


def test_the_chart_takes_one_direction_and_one_kind_of_gallery(page: ReportData) -> None:
    assert [row.label for row in difference_rows(page.comparison, "t2i")] == ["all", "title (zh)"]
    assert [row.value for row in difference_rows(page.comparison, "t2i", every_image=True)] == [-5.0]
    assert difference_rows(page.comparison, "i2t") == []


def test_kinds_are_written_out() -> None:
    assert [kind_label(name) for name in ("title+tags", "all.zh", "tags")] == [
        "title + tags",
        "all (zh)",
        "tags",
    ]
